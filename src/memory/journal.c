#include "memory/journal.h"

#if QH_THREADS

#include "base/bytes.h"

void qh__journal_clear(qh_journal *journal) {
    QH_ASSERT(!journal->open);
    journal->regions = 0;
}

void qh__journal_keep(qh_journal *journal, void *at, uint32_t byte_count) {
    QH_ASSERT(journal->regions < QH_JOURNAL_REGIONS);
    journal->kept_at[journal->regions].at = at;
    journal->kept_at[journal->regions++].byte_count = byte_count;
}

/* Copies between the regions and what is kept of them. */
static void copy_regions(qh_journal *journal, bool back) {
    unsigned char *kept = (unsigned char *)journal->kept, *end = kept + QH_JOURNAL_BYTES;
    for (uint32_t i = 0; i < journal->regions; i++) {
        uint32_t byte_count = journal->kept_at[i].byte_count;
        void *at = journal->kept_at[i].at;
        QH_ASSERT(byte_count <= (size_t)(end - kept));
        memcpy(back ? at : kept, back ? kept : at, byte_count);
        kept += byte_count;
    }
}

void qh__journal_begin(qh_journal *journal) {
    journal->most = QH_MAX(journal->most, journal->count);
    qh__journal_commit(journal);
    journal->count = 0;
    copy_regions(journal, false);
    QH_ORDERED();
    journal->open = 1;
    QH_ORDERED();
}

void qh__journal_undo(qh_journal *journal) {
    if (!journal->open) return;
    for (uint32_t i = QH_MIN(journal->count, QH_JOURNAL_ENTRIES); i-- > 0;)
        *journal->entries[i].at = journal->entries[i].was;
    copy_regions(journal, true);
    qh__journal_commit(journal);
}

#endif
