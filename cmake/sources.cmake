# Every C file of qhive, once, by room. A new file is one new line here; tests/build checks that no
# file of src/ is missing. Order matters to nothing.

set(QHIVE_SOURCES
  # base
  src/base/bytes.c
  src/base/maths.c
  src/base/result.c
  # sync: nothing without QH_THREADS
  src/sync/mutex.c
  src/sync/rwlock.c
  src/sync/thread.c
  # memory
  src/memory/arena.c
  src/memory/array.c
  src/memory/budget.c
  src/memory/heap.c
  src/memory/heap_small.c
  src/memory/heap_validate.c
  src/memory/journal.c
  src/memory/lock.c
  src/memory/memory.c
  src/memory/pool.c
  src/memory/record.c
  src/memory/salvage.c
  src/memory/shared.c
  # learn
  src/learn/actuator.c
  src/learn/agent.c
  src/learn/encoder.c
  src/learn/plan.c
  src/learn/policy.c
  src/learn/replay.c
  src/learn/rules.c
  src/learn/salvage.c
  src/learn/table.c
  src/learn/transfer.c
  # shared
  src/shared/audit.c
  src/shared/federation.c
  src/shared/federation_delta.c
  src/shared/federation_merge.c
  src/shared/messages.c
  src/shared/metrics.c
  src/shared/salvage.c
  src/shared/zones.c
  src/shared/index/build.c
  src/shared/index/freeze.c
  src/shared/index/graph.c
  src/shared/index/index.c
  src/shared/index/search.c
  src/shared/index/transfer.c
  src/shared/knowledge.c
  src/shared/knowledge_index.c
  src/shared/knowledge_search.c
  src/shared/text.c
  # runtime
  src/runtime/batch.c
  src/runtime/claims.c
  src/runtime/notes.c
  src/runtime/recover.c
  src/runtime/runtime.c
  # wasm: the exports, which native tests call too
  src/wasm/exports.c
  src/wasm/memory.c
  src/wasm/index.c
  src/wasm/locks.c
  src/wasm/rooms.c
  src/wasm/threads.c
  src/wasm/unsupported.c
)

# The table of the core's layout, a module of its own that the package's build runs once.
set(QHIVE_ABI_SOURCES
  src/wasm/abi.c
)

# Only in the libraries for C and C++ programs, not in the module.
set(QHIVE_EMBED_SOURCES
    src/embed/embed.c
)

# The C unit tests, native and in wasm. Each is compiled on its own: static names may repeat.
file(GLOB QHIVE_TEST_SOURCES RELATIVE "${PROJECT_SOURCE_DIR}" CONFIGURE_DEPENDS tests/c/*.c)
list(SORT QHIVE_TEST_SOURCES)

# The small build has a heap of its own behind the same interface.
if(QHIVE_SMALL)
  list(REMOVE_ITEM QHIVE_SOURCES src/memory/heap.c src/memory/heap_validate.c)
  list(REMOVE_ITEM QHIVE_TEST_SOURCES tests/c/memory_heap_layers.c)
endif()
