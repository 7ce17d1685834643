#include "qhive/result.h"

const char *qh_result_name(int result) {
    switch (result) {
    case QH_OK: return "OK";
#define QH_RESULT_CASE(name, value, meaning)                                                       \
    case value: return #name;
        QH_RESULTS(QH_RESULT_CASE)
#undef QH_RESULT_CASE
    default: return "UNKNOWN";
    }
}
