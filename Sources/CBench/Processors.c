#define _GNU_SOURCE
#include "CBench.h"

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>

// Every thread that there is; those that it starts later take over what it may use.
static void allow(const cpu_set_t *processors) {
    DIR *threads = opendir("/proc/self/task");
    if (!threads) return;
    struct dirent *entry;
    while ((entry = readdir(threads))) {
        pid_t thread = atoi(entry->d_name);
        if (thread > 0) sched_setaffinity(thread, sizeof *processors, processors);
    }
    closedir(threads);
}

static cpu_set_t all;

void martlet_use_one_processor(void) {
    if (sched_getaffinity(0, sizeof all, &all) != 0) CPU_ZERO(&all);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int processor = CPU_SETSIZE - 1; processor >= 0; processor--) {
        if (!CPU_ISSET(processor, &all)) continue;
        CPU_SET(processor, &one);
        allow(&one);
        return;
    }
}

void martlet_use_all_processors(void) {
    if (CPU_COUNT(&all) > 0) allow(&all);
}
