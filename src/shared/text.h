/* From text to terms: what full-text search counts.
 *
 * Text is UTF-8; whatever is malformed separates words. Letters are folded: to lower case (Latin, Greek, Cyrillic), and Latin letters
 * up to U+017F to the plain letter under their accent; combining marks are skipped. A word is a run of letters and digits of at most
 * 48; longer runs are cut. For each word are shown
 *   - the stems of its parts, where it is written in camel case: "timeToTrigger" is time, to and trigger too;
 *   - its stem (plurals and the endings of verbs cut, after Porter 1980, step 1, much simplified);
 *   - its character 3-grams, with the word's edges as characters: "^ce", "cel", "ell", "ll$". */
#ifndef QH_SHARED_TEXT_H
#define QH_SHARED_TEXT_H

#include "base/platform.h"

typedef struct qh_text {
    const unsigned char *bytes;
    uint32_t length;
} qh_text;

/* What a term is: the lowest bits of its hash. */
enum {
    QH_TERM_ALIAS, /* a word that stands for another */
    QH_TERM_WORD,
    QH_TERM_GRAM,
    QH_TERM_CODE, /* a whole text, byte by byte */
    QH_TERM_KINDS
};

/* Is shown a term. False for a word that does not count: then its 3-grams are not shown. */
typedef bool qh_term_visitor(void *context, uint32_t term);

/* The kind of a term. */
QH_INLINE uint32_t qh__term_kind(uint32_t term) {
    return term & 3;
}

/* A hash of so many bytes. */
uint32_t qh__text_term(const void *bytes, size_t byte_count, uint32_t kind);

/* Shows every term of a text to the visitor, in order. */
void qh__text_terms(qh_text text, qh_term_visitor *visit, void *context);

#endif
