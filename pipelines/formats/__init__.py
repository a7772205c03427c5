"""Readers that several sources share: how a payload is packed and where one record ends and the next begins."""
