/* Text to terms: folding, stems, camel case, 3-grams; malformed and hostile bytes. */
#include "fixture.h"

#include "shared/text.h"

#define MAX_TERMS 4096u

typedef struct term_list {
    uint32_t terms[MAX_TERMS];
    uint32_t count, words, refused; /* words are not wanted from the `refused`-th on */
} term_list;

static bool keep(void *context, uint32_t term) {
    term_list *list = context;
    if (list->count < MAX_TERMS) list->terms[list->count] = term;
    list->count++;
    list->words += qh__term_kind(term) == QH_TERM_WORD;
    return qh__term_kind(term) != QH_TERM_WORD || list->words < list->refused;
}

static term_list terms_of(const char *text, size_t length) {
    term_list list = {.refused = UINT32_MAX};
    qh__text_terms((qh_text){(const unsigned char *)text, (uint32_t)length}, keep, &list);
    return list;
}

#define TERMS(text) terms_of(text, sizeof(text) - 1)

static bool same_terms(const term_list *a, const term_list *b) {
    return a->count == b->count && memcmp(a->terms, b->terms, a->count * sizeof *a->terms) == 0;
}

#define CHECK_ALIKE(a, b)                                                                          \
    do {                                                                                           \
        term_list first_ = TERMS(a), second_ = TERMS(b);                                           \
        CHECK(same_terms(&first_, &second_));                                                      \
    } while (0)

/* Whether two words have the same stem: their first terms. */
#define CHECK_FAMILY(a, b, expected)                                                               \
    do {                                                                                           \
        term_list first_ = TERMS(a), second_ = TERMS(b);                                           \
        CHECK_EQ(first_.terms[0] == second_.terms[0], expected);                                   \
    } while (0)

static void letters_are_folded(void) {
    CHECK_ALIKE("cell", "CELL");
    CHECK_ALIKE("Muenchen", "MUENCHEN");
    CHECK_ALIKE("na\xC3\xAFve \xC3\x89t\xC3\xA9", "naive ete");
    CHECK_ALIKE("e\xCC\x81", "e"); /* a combining accent */
    CHECK_ALIKE("\xC5\x81\xC3\xB3"
                "d\xC5\xBA",
                "lodz");
    CHECK_ALIKE("\xD0\x9C\xD0\x90", "\xD0\xBC\xD0\xB0"); /* Cyrillic */
    CHECK_ALIKE("\xD0\x81", "\xD1\x91");
    CHECK_ALIKE("\xCE\xA9", "\xCF\x89"); /* Greek */
    CHECK_ALIKE("a\xC3\x97"
                "b",
                "a b"); /* a multiplication sign */
    CHECK_ALIKE("a\xE2\x80\x94"
                "b",
                "a-b");
}

static void words_end_where_letters_end(void) {
    CHECK_ALIKE("a3-Offset: 38.331", "a3 offset 38 331");
    CHECK_ALIKE("", " \n.,;");
    term_list none = TERMS("...");
    CHECK_EQ(none.count, 0);
    term_list one = TERMS("x");
    CHECK_EQ(one.count, 2); /* the word and its only 3-gram */
    term_list word = TERMS("handover");
    CHECK_EQ(word.count, 9);
    CHECK_EQ(word.words, 1);
}

static void families_share_a_stem(void) {
    static const char *const families[][2] = {
        {"cells", "cell"},          {"sleeping", "sleep"},
        {"dropped", "drop"},        {"frequencies", "frequency"},
        {"activation", "activate"}, {"bouncing", "bounce"},
        {"losses", "loss"},         {"scheduler", "schedule"},
        {"slowly", "slow"},
    };
    for (uint32_t i = 0; i < COUNT_OF(families); i++) {
        size_t lengths[2] = {0, 0};
        for (uint32_t k = 0; k < 2; k++)
            while (families[i][k][lengths[k]]) lengths[k]++;
        term_list first = terms_of(families[i][0], lengths[0]);
        term_list second = terms_of(families[i][1], lengths[1]);
        CHECK_EQ(first.terms[0], second.terms[0]);
    }
    CHECK_FAMILY("status", "statu", false);
    CHECK_FAMILY("cell", "call", false);
}

static void camel_case_is_taken_apart(void) {
    term_list whole = TERMS("timeToTrigger"), parts = TERMS("time to trigger");
    CHECK_EQ(whole.terms[0], parts.terms[0]);
    CHECK_EQ(whole.words, 4); /* three parts and the whole */
    term_list plain = TERMS("TIMETOTRIGGER");
    CHECK_EQ(plain.words, 1);
    CHECK_EQ(whole.terms[3], plain.terms[0]);
    term_list offset = TERMS("a3Offset");
    CHECK_EQ(offset.words, 3);
}

static void a_word_that_does_not_count_has_no_grams(void) {
    term_list list = {.refused = 1};
    qh__text_terms((qh_text){(const unsigned char *)"the cell", 8}, keep, &list);
    CHECK_EQ(list.count, 2);
}

static void bytes_that_are_no_text_separate(void) {
    CHECK_ALIKE("cell\xFFsleep", "cell sleep");
    CHECK_ALIKE("cell\xC3", "cell");
    CHECK_ALIKE("cell\xE2\x82", "cell");
    CHECK_ALIKE("\x80\x80"
                "a",
                "a");
    CHECK_ALIKE("a\xED\xBF\xBD"
                "b",
                "a\xED\xBF\xBD"
                "b");
    CHECK_ALIKE("a\xEF\xBF\xBD"
                "b",
                "a b"); /* the replacement character */
}

static void any_bytes_are_survived(void) {
    static unsigned char bytes[512];
    qh_random random = test_random();
    for (uint32_t round = 0; round < TEST_SHARE(2000); round++) {
        uint32_t length = qh__random_below(&random, sizeof bytes);
        for (uint32_t i = 0; i < length; i++)
            bytes[i] =
                (unsigned char)(qh__random_below(&random, 4) ? 0x80 + qh__random_below(&random, 128)
                                                             : qh__random_below(&random, 128));
        term_list first = terms_of((const char *)bytes, length);
        term_list second = terms_of((const char *)bytes, length);
        CHECK(same_terms(&first, &second));
        CHECK(first.count <= 3 * length + 1);
    }
}

static void long_words_are_cut(void) {
    static char text[1000];
    memset(text, 'a', sizeof text);
    term_list list = terms_of(text, sizeof text);
    CHECK_EQ(list.words, 21); /* of 48 letters each */
}

TEST_SUITE(shared_text, {"letters are folded", letters_are_folded},
           {"words end where letters end", words_end_where_letters_end},
           {"families share a stem", families_share_a_stem},
           {"camel case is taken apart", camel_case_is_taken_apart},
           {"a word that does not count has no grams", a_word_that_does_not_count_has_no_grams},
           {"bytes that are no text separate", bytes_that_are_no_text_separate},
           {"any bytes are survived", any_bytes_are_survived},
           {"long words are cut", long_words_are_cut});
