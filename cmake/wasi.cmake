# The WASI target (preview 1): qhive_wasi makes a command (examples/c/command.c) and a reactor (the module's exports over WASI's libc,
# with a memory of its own: a library for any host). One compilation serves both.

include(add-wasm)

qhive_add_wasm(qhive_wasi
  OUTPUT qhive-command.wasm
  REACTOR qhive-reactor.wasm
  UNIT ${QHIVE_SOURCES}
  SEPARATE ${QHIVE_EMBED_SOURCES} examples/c/command.c
  EXPORTS src/wasm/exports.txt)
