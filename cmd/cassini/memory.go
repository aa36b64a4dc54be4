package main

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"cassini/cmd/cassini/internal/config"
)

// addMemory adds the setting of how much memory the process should use.
func (s *server) addMemory() {
	s.cmd.Flags().Var(&s.memory, "memory-limit", "`size` of memory to stay below, such as 512MiB; 0: nine tenths of what the cgroup allows")
	config.Mark(s.cmd.Flags(), "memory-limit")
}

// limitMemory tells the garbage collector how much memory there is. Where nothing is set,
// GOMEMLIMIT of the environment counts, else nine tenths of the cgroup's limit: the rest is
// for what Go does not count, such as mapped pages of files.
func limitMemory(limit size, getenv func(string) string) {
	if text := getenv("GOMEMLIMIT"); limit == 0 && text != "" {
		_ = limit.Set(text) // Go has refused all that is wrong but "off", which is no limit
	} else if limit == 0 {
		limit = size(cgroupLimit(os.ReadFile) / 10 * 9)
	}
	if limit == 0 {
		limit = math.MaxInt64
	}
	debug.SetMemoryLimit(int64(limit))
}

// memoryLimit is what the garbage collector keeps to, 0 without a limit.
func memoryLimit() uint64 {
	limit := debug.SetMemoryLimit(-1) // reads it
	if limit == math.MaxInt64 {
		return 0
	}
	return uint64(limit)
}

// cgroupLimit is the least memory.max on the way from this process's cgroup to the root,
// 0 without one.
func cgroupLimit(read func(string) ([]byte, error)) (least int64) {
	raw, err := read("/proc/self/cgroup")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		for ; ok && path != "" && path != "/"; path = path[:strings.LastIndexByte(path, '/')] {
			raw, err := read("/sys/fs/cgroup" + path + "/memory.max")
			if err != nil {
				continue
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil && n > 0 && (least == 0 || n < least) {
				least = n
			}
		}
	}
	return least
}
