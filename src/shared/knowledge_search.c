#include "shared/knowledge.h"

#include "base/bits.h"
#include "base/bytes.h"
#include "base/maths.h"

#define VECTOR_DIMS QH_KNOWLEDGE_DIMS
#define SATURATION 1.2    /* BM25's k1 */
#define LENGTH_WEIGHT 0.5 /* BM25's b */
#define VECTOR_SHARE 0.3  /* of the fused score */
#define PROJECTION_SEED 0x52414E6Bu
#define NOT_FOUND (-__builtin_inf())

/* How much a term counts for being a word, a 3-gram or a whole code. */
static const float kind_weights[QH_TERM_KINDS] = {0, 1, 0.25f, 4};

/* ---------------------------------------------------------------- weights */

/* BM25's inverse document frequency times the weight of the term's kind. */
static QH_NOINLINE double term_weight(const qh_catalogue *catalogue, uint32_t term,
                                      uint32_t holders) {
    double others = catalogue->count - holders;
    return (double)kind_weights[qh__term_kind(term)] *
           qh__log(1 + (others + 0.5) / (holders + 0.5));
}

/* BM25's saturated frequency of a term in an entry. */
static QH_NOINLINE double saturated(const qh_catalogue *catalogue, const qh_postings *postings) {
    double length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * (double)catalogue->lengths[postings->entry];
    return postings->weight * (SATURATION + 1) / (postings->weight + SATURATION * length);
}

/* ---------------------------------------------------------------- vectors */

static QH_NOINLINE double vector_dot(const float *a, const float *b) {
    double sum = 0;
    for (uint32_t i = 0; i < VECTOR_DIMS; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Makes a vector's length 1, or leaves it 0; false for one that is not finite. */
static QH_NOINLINE bool normalize_vector(float *vector) {
    double norm = qh__sqrt(vector_dot(vector, vector));
    for (uint32_t i = 0; i < VECTOR_DIMS && norm > 0; i++)
        vector[i] = (float)((double)vector[i] / norm);
    return qh__is_finite(norm);
}

static float *vector_of(const qh_catalogue *catalogue, uint32_t entry) {
    return catalogue->vectors + (size_t)VECTOR_DIMS * entry;
}

qh_result qh__catalogue_embed(qh_catalogue *catalogue, uint32_t *at_fault) {
    for (uint32_t i = 0; i < catalogue->slot_count; i++) {
        uint32_t term = catalogue->slots[i].term;
        if (!qh__has_postings(&catalogue->slots[i]) || qh__term_kind(term) == QH_TERM_CODE)
            continue;
        uint64_t signs = qh__mix64(PROJECTION_SEED ^ term);
        qh_postings postings = qh__postings_open(catalogue, i);
        double weight = term_weight(catalogue, term, postings.holders);
        while (qh__postings_next(&postings)) {
            float *vector = vector_of(catalogue, postings.entry);
            float added = (float)(weight * saturated(catalogue, &postings));
            for (uint32_t d = 0; d < VECTOR_DIMS; d++) vector[d] += signs >> d & 1 ? added : -added;
        }
    }
    for (uint32_t i = 0; i < catalogue->count; i++) {
        qh_text own = qh__catalogue_field(catalogue, i, QH_FIELD_VECTOR);
        memcpy(vector_of(catalogue, i), own.bytes, own.length);
        *at_fault = i;
        if (!normalize_vector(vector_of(catalogue, i))) return QH_INVALID_ARGUMENT;
    }
    return QH_OK;
}

/* ---------------------------------------------------------------- search */

typedef struct knowledge_search {
    const qh_catalogue *catalogue;
    double *scores; /* of all entries */
    uint8_t *asked; /* how often the text has the term of each slot */
} knowledge_search;

static bool count_term(void *context, uint32_t term) {
    knowledge_search *search = context;
    term = qh__meaning_of(search->catalogue, term);
    uint32_t slot = qh__slot_of(search->catalogue, term);
    if (term && search->catalogue->slots[slot].term && search->asked[slot] < UINT8_MAX)
        search->asked[slot]++;
    return term != 0;
}

/* The lexical scores of all entries; the best of them. */
static double score_text(knowledge_search *search, qh_text text) {
    const qh_catalogue *catalogue = search->catalogue;
    double best = 0;
    qh__text_terms(text, count_term, search);
    count_term(search, qh__text_term(text.bytes, text.length, QH_TERM_CODE));
    for (uint32_t slot = 0; slot < catalogue->slot_count; slot++) {
        if (search->asked[slot] == 0) continue;
        qh_postings postings = qh__postings_open(catalogue, slot);
        double weight = term_weight(catalogue, catalogue->slots[slot].term, postings.holders);
        while (qh__postings_next(&postings)) {
            double *score = &search->scores[postings.entry];
            *score += search->asked[slot] * weight * saturated(catalogue, &postings);
            best = QH_MAX(best, *score);
        }
    }
    return best;
}

/* The vector of a text from its lexical scores, not of length 1. */
static void fold_in(const knowledge_search *search, double best, float *vector) {
    for (uint32_t i = 0; i < search->catalogue->count && best > 0; i++) {
        double score = search->scores[i] / best;
        for (uint32_t d = 0; d < VECTOR_DIMS; d++)
            vector[d] += (float)(score * score * score) * vector_of(search->catalogue, i)[d];
    }
}

/* Makes the scores those that were asked for; what is not to be found gets NOT_FOUND. */
static void finish_scores(knowledge_search *search, const qh_knowledge_query *query, double best,
                          const float *vector) {
    for (uint32_t i = 0; i < search->catalogue->count; i++) {
        double *score = &search->scores[i];
        double similarity = vector_dot(vector, vector_of(search->catalogue, i));
        if (query->mode == QH_SEARCH_FUSED)
            *score = (1 - VECTOR_SHARE) * *score / best + VECTOR_SHARE * similarity;
        if (query->mode == QH_SEARCH_VECTOR) *score = similarity;
        qh_text own = qh__catalogue_field(search->catalogue, i, QH_FIELD_CATEGORY);
        bool other = query->category.length > 0 &&
                     (own.length != query->category.length ||
                      memcmp(own.bytes, query->category.bytes, own.length) != 0);
        if (other || (!query->vector && !(*score > 0))) *score = NOT_FOUND;
    }
}

/* Writes the best `hits` entries: how many there are. */
static uint32_t pick_best(const knowledge_search *search, uint32_t wanted, uint32_t *hits,
                          float *scores) {
    for (uint32_t found = 0; found < wanted; found++) {
        uint32_t best = 0;
        for (uint32_t i = 1; i < search->catalogue->count; i++)
            if (search->scores[i] > search->scores[best]) best = i;
        if (search->scores[best] == NOT_FOUND) return found;
        hits[found] = best;
        scores[found] = (float)search->scores[best];
        search->scores[best] = NOT_FOUND;
    }
    return wanted;
}

qh_result qh_knowledge_search(qh_knowledge *knowledge, const qh_knowledge_query *given,
                              uint32_t *hits, float *scores, uint32_t *hit_count) {
    const qh_catalogue *catalogue = &knowledge->catalogue;
    size_t byte_count = catalogue->count * sizeof(double) + catalogue->slot_count;
    knowledge_search search = {.catalogue = catalogue};
    qh_knowledge_query query = *given;
    float vector[VECTOR_DIMS] = {0};
    double best = 0;
    if (query.vector) {
        query.mode = QH_SEARCH_VECTOR;
        memcpy(vector, query.vector, sizeof vector);
    }
    *hit_count = 0;
    if (!normalize_vector(vector)) return QH_INVALID_ARGUMENT;
    if (catalogue->count == 0) return QH_OK;
    QH_TRY(qh__knowledge_take(knowledge, byte_count, &search.scores));
    search.asked = (uint8_t *)(search.scores + catalogue->count);
    if (!query.vector) {
        best = score_text(&search, query.text);
        fold_in(&search, best, vector);
        normalize_vector(vector);
    }
    if (query.vector || best > 0) {
        finish_scores(&search, &query, best, vector);
        *hit_count = pick_best(&search, query.hits, hits, scores);
    }
    qh__knowledge_give(knowledge, search.scores, byte_count);
    return QH_OK;
}
