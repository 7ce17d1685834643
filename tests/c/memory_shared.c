/* Counted references: frozen once, held only when frozen, never freed while held, and nothing forgotten. */
#include "fixture.h"

typedef struct thing {
    uint64_t content;
    qh_shared shared;
} thing;

static qh_shared_list list;
static qh_owner owner;
static thing things[8];

static void open_things(uint32_t count) {
    list = (qh_shared_list){0};
    for (uint32_t i = 0; i < count; i++)
        qh_shared_open(&list, &things[i].shared, &owner, i, sizeof(thing));
}

static void it_is_frozen_once(void) {
    open_things(1);
    qh_shared *shared = &things[0].shared;
    CHECK(!shared->frozen && list.count == 1 && list.first == shared);
    CHECK(QH_SHARED_IN(thing, shared, list.first) == things);
    CHECK_RESULT(qh_shared_acquire(shared), QH_INVALID_STATE);
    CHECK_EQ(shared->references, 0);
    CHECK_OK(qh_shared_freeze(shared));
    CHECK_RESULT(qh_shared_freeze(shared), QH_INVALID_STATE);
    CHECK(shared->frozen && qh_shared_validate(&list));
    CHECK_OK(qh_shared_acquire(shared));
    CHECK_EQ(shared->references, 1);
}

static void what_is_held_is_not_freed(void) {
    open_things(1);
    qh_shared *shared = &things[0].shared;
    CHECK_OK(qh_shared_freeze(shared));
    for (uint32_t i = 1; i <= 3; i++) {
        CHECK_OK(qh_shared_acquire(shared));
        CHECK_RESULT(qh_shared_close(&list, shared), QH_BUSY);
        CHECK(shared->references == i && list.count == 1 && list.first == shared);
    }
    for (uint32_t i = 3; i-- > 0;) {
        CHECK_RESULT(qh_shared_close(&list, shared), QH_BUSY);
        CHECK_EQ(qh_shared_release(shared), i);
    }
    CHECK_OK(qh_shared_close(&list, shared));
    CHECK(list.count == 0 && list.first == NULL && qh_shared_validate(&list));
}

static void references_do_not_wrap(void) {
    open_things(1);
    qh_shared *shared = &things[0].shared;
    CHECK_OK(qh_shared_freeze(shared));
    shared->references = UINT32_MAX;
    CHECK_RESULT(qh_shared_acquire(shared), QH_OVERFLOW);
    CHECK_EQ(shared->references, UINT32_MAX);
    CHECK_EQ(qh_shared_release(shared), UINT32_MAX - 1);
    CHECK_OK(qh_shared_acquire(shared));
}

/* One that was never frozen can be given up. */
static void any_order_of_closing_keeps_the_list(void) {
    qh_random random = test_random();
    for (uint32_t round = 0; round < 200; round++) {
        open_things(COUNT_OF(things));
        bool there[COUNT_OF(things)];
        memset(there, true, sizeof there);
        for (uint32_t left = COUNT_OF(things); left > 0; left--) {
            uint32_t chosen = qh__random_below(&random, COUNT_OF(things));
            while (!there[chosen]) chosen = (chosen + 1) % COUNT_OF(things);
            CHECK_OK(qh_shared_close(&list, &things[chosen].shared));
            there[chosen] = false;
            uint32_t seen = 0;
            for (qh_shared *entry = list.first; entry; entry = entry->next, seen++)
                CHECK(there[QH_SHARED_IN(thing, shared, entry) - things]);
            CHECK_EQ(seen, left - 1);
            CHECK_EQ(list.count, seen);
            CHECK(qh_shared_validate(&list));
        }
    }
}

static void the_validator_sees_each_kind_of_damage(void) {
    open_things(3);
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(qh_shared_freeze(&things[i].shared));
    CHECK(qh_shared_validate(&list));
    things[1].shared.previous = &things[0].shared;
    CHECK(!qh_shared_validate(&list));
    things[1].shared.previous = &things[2].shared;
    list.count = 2;
    CHECK(!qh_shared_validate(&list));
    list.count = 4;
    CHECK(!qh_shared_validate(&list));
    list.count = 3;
    things[0].shared.next = &things[2].shared; /* a ring */
    CHECK(!qh_shared_validate(&list));
    things[0].shared.next = NULL;
    things[2].shared.frozen = false;
    CHECK(qh_shared_validate(&list));
    things[2].shared.references = 1; /* held while it is built */
    CHECK(!qh_shared_validate(&list));
}

/* Plans are such resources: a reference that nobody gives back is seen. */
static void a_runtime_counts_the_holders_of_plans(void) {
    qh_runtime *runtime = test_runtime_open(1, false);
    REQUIRE(runtime);
    qh_agent_def def = test_greedy(2, 10);
    qh_agent *agents[3];
    for (uint32_t i = 0; i < 3; i++) REQUIRE((agents[i] = test_agent(runtime, &def)) != NULL);
    qh_plan *plan = agents[0]->encoder.plan;
    CHECK_EQ(plan->shared.references, 3);
    CHECK(plan->shared.frozen && qh_runtime_validate(runtime));
    CHECK_RESULT(qh_shared_close(&runtime->memory.shared, &plan->shared), QH_BUSY);
    CHECK_OK(qh_shared_acquire(&plan->shared));
    CHECK(!qh_runtime_validate(runtime));
    qh_plan_release(&runtime->plans, plan);
    CHECK(qh_runtime_validate(runtime));
    for (uint32_t i = 0; i < 3; i++) CHECK_OK(qh_runtime_destroy_agent(runtime, agents[i]->handle));
    CHECK_EQ(runtime->memory.shared.count, 0);
    qh_runtime_close(runtime);
}

TEST_SUITE(memory_shared, {"it is frozen once", it_is_frozen_once},
           {"what is held is not freed", what_is_held_is_not_freed},
           {"references do not wrap", references_do_not_wrap},
           {"any order of closing keeps the list", any_order_of_closing_keeps_the_list},
           {"the validator sees each kind of damage", the_validator_sees_each_kind_of_damage},
           {"a runtime counts the holders of plans", a_runtime_counts_the_holders_of_plans});
