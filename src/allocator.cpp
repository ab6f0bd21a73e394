/// What jemalloc reads its settings from. In huge pages, and giving them back late: a channel's log is written through memory once
/// a message, and the kernel's work for each fresh page of 4 KB would be a third of a publish (docs/decisions/0013).
extern "C" const char* const malloc_conf;
const char* const malloc_conf = "thp:always,dirty_decay_ms:60000";
