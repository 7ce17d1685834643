#include "shared/text.h"

#include "base/bytes.h"

#define WORD_LETTERS 48u
#define SKIPPED 1u /* a letter that is none: a combining mark */
#define EDGE 2u    /* before the first letter of a word and behind its last */

uint32_t qh__text_term(const void *bytes, size_t byte_count, uint32_t kind) {
    return ((uint32_t)qh__hash_bytes(bytes, byte_count, kind) & ~3u) | kind;
}

/* ---------------------------------------------------------------- letters */

/* The next code point; 0 for bytes that are none. */
static uint32_t next_code_point(const unsigned char **at, const unsigned char *end) {
    uint32_t first = *(*at)++;
    if (first < 0x80) return first;
    uint32_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    uint32_t point = first & (0x3Fu >> more);
    for (; more > 0; more--) {
        if (*at == end || (**at & 0xC0) != 0x80) return 0;
        point = point << 6 | (*(*at)++ & 0x3Fu);
    }
    return point;
}

/* Plain letters of U+00C0..U+017F, '.' where there is none. */
static const char latin[] =
    "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkk"
    "llllllllllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof latin == 0x180 - 0xC0 + 1, "a letter each");

/* The folded letter or digit of a code point; 0: none. Sets `upper` for capitals that are to be told apart. */
static uint32_t fold_letter(uint32_t point, bool *upper) {
    *upper = point - 'A' < 26;
    if (*upper) return point + 32;
    if (point - 'a' < 26 || point - '0' < 10) return point;
    if (point < 0xC0) return 0;
    if (point < 0x180) return latin[point - 0xC0] == '.' ? 0 : (uint32_t)latin[point - 0xC0];
    if (point - 0x300 < 0x70) return SKIPPED;
    if (point - 0x391 < 25 || point - 0x410 < 32) return point + 32;
    if (point - 0x400 < 16) return point + 80;
    bool none = point - 0x2000 < 0x70 || point - 0x3000 < 0x40 || point - 0xFFF0 < 0x10;
    return none ? 0 : point;
}

/* ---------------------------------------------------------------- words */

typedef struct text_word {
    uint32_t letters[WORD_LETTERS + 2]; /* between two edges */
    uint32_t length;
    uint32_t part; /* where the part of a camel-case word begins */
    bool was_lower;
    qh_term_visitor *visit;
    void *context;
} text_word;

typedef struct word_ending {
    char letters[4];
    uint8_t length, least; /* letters of the ending, of the whole word */
} word_ending;

static const word_ending word_endings[] = {{"ing", 3, 6}, {"ion", 3, 7}, {"ed", 2, 5},
                                           {"er", 2, 7},  {"ly", 2, 6},  {"e", 1, 4}};

static bool ends_with(const uint32_t *letters, uint32_t length, const word_ending *wanted) {
    if (length < wanted->least) return false;
    for (uint32_t i = 0; i < wanted->length; i++)
        if (letters[length - wanted->length + i] != (unsigned char)wanted->letters[i]) return false;
    return true;
}

/* Cuts word_endings and says how many letters are left. What is left need not be a word, only the same for all words of a family. */
static uint32_t stem_word(uint32_t *letters, uint32_t length) {
    if (length > 3 && letters[length - 1] == 's' && letters[length - 2] != 's' &&
        letters[length - 2] != 'u' && letters[length - 2] != 'i')
        length--;
    for (uint32_t i = 0; i < sizeof word_endings / sizeof *word_endings; i++)
        if (ends_with(letters, length, &word_endings[i])) {
            length -= word_endings[i].length;
            break;
        }
    if (length > 5 && letters[length - 1] == 't' && letters[length - 2] == 'a') length -= 2;
    if (length > 3 && letters[length - 1] == letters[length - 2] && letters[length - 1] >= 'a')
        length--;
    if (length > 3 && letters[length - 1] == 'y') letters[length - 1] = 'i';
    return length;
}

static bool emit_term(const text_word *word, const uint32_t *letters, uint32_t count,
                      uint32_t kind) {
    return word->visit(word->context, qh__text_term(letters, count * sizeof *letters, kind));
}

static bool emit_stem(const text_word *word, uint32_t from) {
    uint32_t letters[WORD_LETTERS], count = word->length - from;
    memcpy(letters, word->letters + 1 + from, count * sizeof *letters);
    return emit_term(word, letters, stem_word(letters, count), QH_TERM_WORD);
}

/* Ends the part of a camel-case word that began at `part`. */
static void end_part(text_word *word) {
    if (word->length - word->part > 1) emit_stem(word, word->part);
    word->part = word->length;
}

static void end_word(text_word *word) {
    uint32_t length = word->length;
    if (word->part > 0) end_part(word);
    if (length > 0 && emit_stem(word, 0)) {
        word->letters[0] = word->letters[1 + length] = EDGE;
        for (uint32_t i = 0; i < length; i++) emit_term(word, word->letters + i, 3, QH_TERM_GRAM);
    }
    word->length = word->part = 0;
    word->was_lower = false;
}

static void add_letter(text_word *word, uint32_t letter, bool upper) {
    if (word->length == WORD_LETTERS) end_word(word);
    if (upper && word->was_lower) end_part(word);
    word->letters[1 + word->length++] = letter;
    word->was_lower = !upper;
}

void qh__text_terms(qh_text text, qh_term_visitor *visit, void *context) {
    const unsigned char *at = text.bytes, *end = at + text.length;
    text_word word = {.visit = visit, .context = context};
    while (at < end) {
        bool upper;
        uint32_t letter = fold_letter(next_code_point(&at, end), &upper);
        if (letter == 0)
            end_word(&word);
        else if (letter != SKIPPED)
            add_letter(&word, letter, upper);
    }
    end_word(&word);
}
