/* dlmalloc needs no setting up. */
#include "allocator.h"

EXPORT("setup") void setup(void) {}
EXPORT("valid") bool valid(void) {
    return true;
}
