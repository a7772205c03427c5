/* PubMed XML as bytes, the fast engine: articles cut out, counted, and asked whether they may say anything wanted.

   Belongs here: what pubmed_scan.py does for every byte of a file, in one pass over a buffer, and the sieve that
   pubmed_sieve.py derives from its pattern. Does not belong here: any pattern, and any decision. An article that this
   engine does not prove regular and silent is asked by the pattern, or parsed. Without this engine the same is done in
   Python, slower; a test holds both to the same. */

#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>

typedef const uint8_t *place;
typedef int8_t block __attribute__((vector_size(64), aligned(1)));
typedef uint8_t octets __attribute__((vector_size(64), aligned(1)));
typedef uint64_t lanes __attribute__((vector_size(64), aligned(8)));

#define INLINE static inline __attribute__((always_inline))

const char *const source_digest = SOURCE_DIGEST;

/* Sequences of sets of bytes, one bit a set: a sequence begins at a bit of `firsts` and ends at one of `lasts`.
   characters: one bit for each character of Unicode that is enough by itself. */
struct sieve {
    lanes firsts, lasts, bytes[256];
    uint64_t characters[0x110000 / 64];
};

enum { SILENT, ASKED, IRREGULAR };

INLINE int is_any(block signs) {
    uint64_t any = 0, eight[sizeof(block) / 8];
    memcpy(eight, &signs, sizeof eight);
    for (size_t i = 0; i < sizeof(block) / 8; i++) any |= eight[i];
    return any != 0;
}

/* --- finding ----------------------------------------------------------------------------------------------------- */

/* The C library's search looks at every few bytes; three of the mark's own signs pass over most of a text faster. */
INLINE place find(place from, place end, const char *mark) {
    size_t length = strlen(mark), stride = 4 * sizeof(block), middle = length / 2;
    if (!from) return NULL;
    while (from < end && (size_t)(end - from) >= stride + length) {
        block any = {0};
        for (size_t i = 0; i < stride; i += sizeof(block))
            any |= (*(const block *)(from + i) == mark[0]) & (*(const block *)(from + i + middle) == mark[middle]) &
                   (*(const block *)(from + i + length - 1) == mark[length - 1]);
        if (is_any(any)) {
            place found = memmem(from, stride + length - 1, mark, length);
            if (found) return found;
        }
        from += stride;
    }
    return from < end ? memmem(from, end - from, mark, length) : NULL;
}

INLINE place find_last(place from, place end, const char *mark) {
    place last = NULL;
    for (place at = find(from, end, mark); at; at = find(at + 1, end, mark)) last = at;
    return last;
}

INLINE place behind(place at, place end, const char *mark) {
    size_t length = strlen(mark);
    return at && (size_t)(end - at) >= length && !memcmp(at, mark, length) ? at + length : NULL;
}

INLINE int is_space(uint8_t sign) { return sign == ' ' || (sign >= '\t' && sign <= '\r'); }

INLINE place behind_space(place at, place end) {
    while (at && at < end && is_space(*at)) at++;
    return at;
}

/* --- the regular form -------------------------------------------------------------------------------------------- */

INLINE place behind_attribute(place at, place end) {
    static const char *const known[] = {" Status=\"", " Owner=\"", " IndexingMethod=\"", " VersionID=\"", " VersionDate=\""};
    for (int i = 0; i < 5; i++) {
        place value = behind(at, end, known[i]);
        if (!value) continue;
        while (value < end && *value != '"' && *value != '<' && *value != '>' && *value != '&') value++;
        return behind(value, end, "\"");
    }
    return NULL;
}

/* A number without leading zeros. */
INLINE place behind_number(place at, place end, int most, int64_t *number) {
    *number = 0;
    if (!at || at == end || *at == '0') return NULL;
    place from = at;
    for (; at < end && *at >= '0' && *at <= '9' && at - from < most; at++) *number = 10 * *number + (*at - '0');
    return at > from ? at : NULL;
}

INLINE place behind_head(place at, place end, int64_t *pmid, int64_t *version) {
    at = behind(behind_space(at, end), end, "<PubmedArticle>");
    at = behind(behind_space(at, end), end, "<MedlineCitation");
    for (place next = at; next; next = behind_attribute(at, end)) at = next;
    at = behind_space(behind(at, end, ">"), end);
    at = behind_number(behind(at, end, "<PMID Version=\""), end, 4, version);
    at = behind_number(behind(at, end, "\">"), end, 10, pmid);
    return behind(at, end, "</PMID>");
}

/* Whether tags are opened as often as they are closed, without comments, CDATA and controls but the line's end. */
INLINE int is_balanced(place from, place end, int *is_ascii) {
    int64_t tags = 0, odd = 0;
    block strange = {0}, high = {0};
    while (end - from > 64) {
        block tags_here = {0}, odd_here = {0};
        for (int i = 0; i < 40 && end - from > 64; i++, from += 64) {
            block here = *(const block *)from, next = *(const block *)(from + 1);
            block opens = here == '<', slash = next == '/';
            tags_here -= opens - (here == '>');
            odd_here -= opens - ((opens & slash) + (opens & slash)) - ((here == '/') & (next == '>')) - (opens & (next == '?'));
            strange |= (opens & (next == '!')) | ((here < ' ') & (here >= 0) & (here != '\n'));
            high |= here;
        }
        for (int i = 0; i < 64; i++) tags += tags_here[i], odd += odd_here[i];
    }
    int is_strange = 0, is_high = 0;
    for (int i = 0; i < 64; i++) is_strange |= strange[i], is_high |= high[i] < 0;
    for (; from < end; from++) {
        uint8_t next = from + 1 < end ? from[1] : ' ';
        int opens = *from == '<';
        tags += opens - (*from == '>');
        odd += opens - 2 * (opens && next == '/') - (*from == '/' && next == '>') - (opens && next == '?');
        is_strange |= (opens && next == '!') || (*from < ' ' && *from != '\n');
        is_high |= *from >= 0x80;
    }
    *is_ascii = !is_high;
    return !tags && !odd && !is_strange;
}

/* Bytes that cannot stand here in UTF-8, told from the three before each. */
INLINE block not_utf8(place at) {
    octets third = *(const octets *)(at - 3), second = *(const octets *)(at - 2), last = *(const octets *)(at - 1);
    octets here = *(const octets *)at;
    block goes_on = (here & 0xC0) == 0x80, has_to = (last >= 0xC0) | (second >= 0xE0) | (third >= 0xF0);
    block too_long = (here == 0xC0) | (here == 0xC1) | ((last == 0xE0) & (here < 0xA0)) | ((last == 0xF0) & (here < 0x90));
    block too_large = (here > 0xF4) | ((last == 0xF4) & (here >= 0x90)), surrogate = (last == 0xED) & (here >= 0xA0);
    return (goes_on ^ has_to) | too_long | too_large | surrogate;
}

/* Whether the bytes are UTF-8. What should follow the last of them is not asked: it closes a tag. */
INLINE int is_utf8(place from, place end) {
    const size_t size = sizeof(block), stride = 4 * sizeof(block);
    uint8_t edge[3 + sizeof(block)] = {0};
    memcpy(edge + 3, from, (size_t)(end - from) < size ? (size_t)(end - from) : size);
    block wrong = not_utf8(edge + 3);
    place at = from + size;
    while (at < end && (size_t)(end - at) >= stride) {
        block high = *(const block *)(at - 3);
        for (size_t i = 0; i < stride; i += size) high |= *(const block *)(at + i);
        if (is_any(high < 0))
            for (size_t i = 0; i < stride; i += size) wrong |= not_utf8(at + i);
        at += stride;
    }
    for (; at < end && (size_t)(end - at) >= size; at += size) wrong |= not_utf8(at);
    if (at < end) {
        memset(edge, 0, sizeof edge);
        memcpy(edge, at - 3, 3 + (size_t)(end - at));
        wrong |= not_utf8(edge + 3);
    }
    return !is_any(wrong);
}

/* --- the sieve --------------------------------------------------------------------------------------------------- */

/* Whether the name of a publication type is more than plain text, which no sequence of bytes can see. */
INLINE int is_odd_type(place at, place end) {
    static const char name[] = "<PublicationType";
    for (const char *sign = name; *sign; sign++, at++)
        if (at == end || (*at | 0x20) != (*sign | 0x20)) return 0;
    if (at == end || (*at != '>' && !is_space(*at))) return 0;
    while (at < end && *at != '>') at++;
    if (at + 1 >= end || is_space(at[1])) return 1;
    for (at++; at < end && *at != '<'; at++)
        if (*at >= 0x80 || *at == '&') return 1;
    return at + 1 < end && at[1] != '/';
}

/* Whether the pattern asks for a tag that begins so: comments, instructions and the like, the end of the article. */
INLINE int is_odd_tag(place at, place end) {
    uint8_t next = at + 1 < end ? at[1] : ' ';
    if (next == '/') next = at + 2 < end ? at[2] : ' ';
    int is_name = (next | 0x20) >= 'a' && (next | 0x20) <= 'z';
    return !is_name || behind(at, end, "</Article>") || is_odd_type(at, end);
}

INLINE int is_plain_entity(place at, place end) {
    return behind(at, end, "&lt;") || behind(at, end, "&gt;") || behind(at, end, "&amp;") || behind(at, end, "&quot;") ||
           behind(at, end, "&apos;");
}

/* The character that begins here, of UTF-8 that was found valid. */
INLINE uint32_t character(place at) {
    if (*at < 0xE0) return (*at & 0x1Fu) << 6 | (at[1] & 0x3F);
    if (*at < 0xF0) return (*at & 0x0Fu) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3F);
    return (*at & 0x07u) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3F);
}

static const uint8_t special[256] = {['<'] = 1, ['>'] = 1, ['"'] = 1, ['\''] = 1, ['&'] = 1, [0xC2 ... 0xFF] = 1};

/* How far the sieve has come in a text. A sequence goes on behind tags between any two of its bytes, and behind the end
   of an attribute's value and its tag: before_tag and before_quote keep it so long. */
struct reading {
    place begin, at, end;
    lanes state, found, before_tag, before_quote;
    int is_odd;
};

INLINE void at_special(struct reading *r, uint8_t sign, const struct sieve *sieve) {
    if (sign == '<') {
        if (is_odd_tag(r->at, r->end)) r->is_odd = 1;
        r->before_tag |= r->state;
        r->before_quote = (lanes){0};
    } else if (sign >= 0xC2) {
        uint32_t here = character(r->at);
        if (sieve->characters[here / 64] >> here % 64 & 1) r->is_odd = 1;
    } else if (sign == '&' && !is_plain_entity(r->at, r->end)) {
        r->is_odd = 1;
    }
}

INLINE void behind_special(struct reading *r, uint8_t sign) {
    if (sign == '>') {
        if (r->at - r->begin >= 2 && r->at[-1] == ']' && r->at[-2] == ']') r->is_odd = 1;
        r->state |= r->before_tag | r->before_quote;
        r->before_tag = r->before_quote = (lanes){0};
    } else if (sign == '"' || sign == '\'') {
        r->before_quote |= r->state;
    }
}

INLINE void step(struct reading *r, const struct sieve *sieve) {
    uint8_t sign = *r->at;
    if (special[sign]) at_special(r, sign, sieve);
    r->state = ((r->state << 1) | sieve->firsts) & sieve->bytes[sign];
    r->found |= r->state & sieve->lasts;
    if (special[sign]) behind_special(r, sign);
    r->at++;
}

/* Whether a character, a mark or a sequence of the sieve is in the bytes. */
INLINE int says_something(place at, place end, const struct sieve *sieve) {
    struct reading r = {.begin = at, .at = at, .end = end};
    while (r.at < r.end && !r.is_odd) step(&r, sieve);
    uint64_t any = r.is_odd;
    for (int i = 0; i < 8; i++) any |= r.found[i];
    return any != 0;
}

/* --- the parts --------------------------------------------------------------------------------------------------- */

struct part {
    place from, end;
};

/* What can hold a reason to keep an article, as `_parts` in pubmed_scan.py; 0 where it is not of the regular form. */
INLINE int parts_of(place at, place end, struct part parts[5]) {
    place cited = find(at, end, "</MedlineCitation>");
    if (!cited) return 0;
    place authors = find(at, cited, "<AuthorList");
    place after = authors ? find(authors, cited, "</AuthorList>") : at;
    place closed = find(after, cited, "</Article>");
    if (!closed) return 0;
    int count = 0;
    place journal = find(at, authors ? authors : closed, "<Journal>");
    place title = find(journal, authors ? authors : closed, "</Journal>");
    if (title) parts[count++] = (struct part){at, journal};
    if (authors) parts[count++] = (struct part){title ? title : at, authors};
    parts[count++] = (struct part){authors || !title ? after : title, closed};
    place ties = find(closed, cited, "<CommentsCorrectionsList");
    place ties_end = find_last(ties, cited, "</CommentsCorrectionsList>");
    if (ties) parts[count++] = (struct part){ties, ties_end ? ties_end : cited};
    place other = find(closed, cited, "<OtherAbstract");
    if (other) parts[count++] = (struct part){other, cited};
    return count;
}

/* Cuts the articles that end in the buffer. Of those that may say something the parts are copied one after the other,
   each closed by a line's end. Gives the number of articles, -1 where the bytes are no UTF-8. */
int64_t cut(place text, int64_t length, const struct sieve *sieve, int64_t *ends, int64_t *pmids, int64_t *versions,
            uint8_t *signs, uint8_t *copy, int64_t *copy_ends) {
    place end = text + length;
    uint8_t *copied = copy;
    int64_t count = 0;
    for (place at = text, close; (close = find(at, end, "</PubmedArticle>")); count++) {
        place next = close + strlen("</PubmedArticle>");
        struct part parts[5];
        int is_ascii, balanced = is_balanced(at, next, &is_ascii);
        if (!is_ascii && !is_utf8(at, next)) return -1;
        int64_t pmid = 0, version = 0;
        place head = behind_head(at, close, &pmid, &version);
        int many = head ? parts_of(head, close, parts) : 0;
        signs[count] = balanced && many ? SILENT : IRREGULAR;
        ends[count] = next - text;
        pmids[count] = head ? pmid : 0;
        versions[count] = head ? version : 0;
        uint8_t *begin = copied;
        if (signs[count] == SILENT) {
            for (int i = 0; i < many; i++) {
                memcpy(copied, parts[i].from, parts[i].end - parts[i].from);
                copied += parts[i].end - parts[i].from;
            }
            if (says_something(begin, copied, sieve)) {
                signs[count] = ASKED;
                *copied++ = '\n';
            } else {
                copied = begin;
            }
        }
        copy_ends[count] = copied - copy;
        at = next;
    }
    return count;
}
