#pragma once
// Clang's thread-safety attributes (no-ops elsewhere); -Wthread-safety is an error in preset clang.
#if defined(__clang__)
#define AZORA_TSA(x) __attribute__((x))
#else
#define AZORA_TSA(x)
#endif
#define AZORA_CAPABILITY(name) AZORA_TSA(capability(name))
#define AZORA_SCOPED_CAPABILITY AZORA_TSA(scoped_lockable)
#define AZORA_GUARDED_BY(x) AZORA_TSA(guarded_by(x))
#define AZORA_REQUIRES(...) AZORA_TSA(requires_capability(__VA_ARGS__))
#define AZORA_ACQUIRE(...) AZORA_TSA(acquire_capability(__VA_ARGS__))
#define AZORA_TRY_ACQUIRE(...) AZORA_TSA(try_acquire_capability(__VA_ARGS__))
#define AZORA_RELEASE(...) AZORA_TSA(release_capability(__VA_ARGS__))
#define AZORA_EXCLUDES(...) AZORA_TSA(locks_excluded(__VA_ARGS__))
#define AZORA_ASSERT_CAPABILITY(x) AZORA_TSA(assert_capability(x))
#define AZORA_NO_THREAD_SAFETY_ANALYSIS AZORA_TSA(no_thread_safety_analysis)
