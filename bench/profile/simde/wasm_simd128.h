/* The SIMD intrinsics of WebAssembly on another machine, by SIMDe (https://github.com/simd-everywhere/simde, package
 * libsimde-dev): stands in for the compiler's header in bench/profile only. */
#ifndef QH_PROFILE_WASM_SIMD128_H
#define QH_PROFILE_WASM_SIMD128_H

/* SIMDe would take the macro for the real thing. */
#undef __wasm_simd128__
#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/wasm/simd128.h>
#define __wasm_simd128__ 1

/* Absent from SIMDe. */
#define wasm_i8x16_const_splat(x) wasm_i8x16_splat(x)
#define wasm_u8x16_const_splat(x) wasm_i8x16_splat((int8_t)(x))
#define wasm_i16x8_const_splat(x) wasm_i16x8_splat(x)
#define wasm_u16x8_const_splat(x) wasm_i16x8_splat((int16_t)(x))
#define wasm_i32x4_const_splat(x) wasm_i32x4_splat(x)
#define wasm_u32x4_const_splat(x) wasm_i32x4_splat((int32_t)(x))
#define wasm_i64x2_const_splat(x) wasm_i64x2_splat(x)
#define wasm_f32x4_const_splat(x) wasm_f32x4_splat(x)
#define wasm_f64x2_const_splat(x) wasm_f64x2_splat(x)

#endif
