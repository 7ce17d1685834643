// The public headers in C++: every size and offset is C's, and the library can be called. Prints what differs.
#include "abi.h"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <type_traits>

namespace {

struct number {
    const char *what;
    std::size_t value;
};

#define NUMBER(what, value) {what, static_cast<std::size_t>(value)},
const number abi_of_cpp[] = {ABI(NUMBER)};

static_assert(std::is_standard_layout<qh_agent_def>::value, "C can read what C++ wrote");
static_assert(std::is_trivially_copyable<qh_runtime_def>::value, "definitions are copied as bytes");

int differences() {
    int count = 0;
    if (sizeof abi_of_cpp / sizeof *abi_of_cpp != abi_of_c_count) return 1;
    for (std::size_t i = 0; i < abi_of_c_count; i++) {
        if (abi_of_cpp[i].value == abi_of_c[i]) continue;
        std::printf("%s: %zu in C++, %zu in C\n", abi_of_cpp[i].what, abi_of_cpp[i].value, abi_of_c[i]);
        count++;
    }
    return count;
}

/* A two-armed bandit: the second arm pays. */
int best_arm() {
    qh_runtime_def def = qh_runtime_def_default();
    def.max_pages = 128;
    qh_runtime *runtime = nullptr;
    if (qh_runtime_create(&def, &runtime) != QH_OK) return -1;
    qh_agent_def agent_def = qh_agent_def_default();
    agent_def.name = "bandit";
    agent_def.name_length = static_cast<std::uint32_t>(std::strlen(agent_def.name));
    agent_def.actions = 2;
    agent_def.encoder.kind = QH_ENCODER_INDEX;
    agent_def.encoder.states = 1;
    qh_handle handle = 0;
    std::int32_t action = -1;
    if (qh_runtime_create_agent(runtime, &agent_def, &handle) == QH_OK) {
        qh_agent *agent = qh_runtime_agent(runtime, handle);
        qh_experience experience = {};
        qh_agent_begin(agent, {nullptr, 0}, &action);
        for (int i = 0; i < 500; i++) {
            experience.reward = action == 1;
            qh_agent_step(agent, &experience, &action);
        }
        qh_agent_act(agent, {nullptr, 0}, true, nullptr, &action);
    }
    qh_runtime_destroy(runtime);
    return action;
}

} // namespace

int main() {
    int wrong = differences();
    std::printf("%zu numbers, %d differ; arm %d; version %s; %s\n", abi_of_c_count, wrong, best_arm(), qh_version(),
                qh_result_name(QH_STALE_HANDLE));
    return wrong != 0;
}
