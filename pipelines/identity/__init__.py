"""Which registrations are one trial, and the ids that name trials for good."""
