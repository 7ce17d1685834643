#include "abi.h"

#define NUMBER(what, value) (size_t)(value),
const size_t abi_of_c[] = {ABI(NUMBER)};
const size_t abi_of_c_count = sizeof abi_of_c / sizeof *abi_of_c;
