package bpf

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoCgroup2 says that the cgroup v2 hierarchy cannot be reached.
var ErrNoCgroup2 = errors.New("cgroup v2 is not mounted; mount it with: mount -t cgroup2 none /sys/fs/cgroup")

// ProbeCgroup2 tells what keeps paths of the cgroup v2 from being read, or nil.
func ProbeCgroup2() error {
	_, err := cgroup2()
	return err
}

// cgroup2 finds where the hierarchy is mounted.
func cgroup2() (string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "", fmt.Errorf("look for cgroup v2: %w", err)
	}
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[2] != "cgroup2" {
			continue
		}
		var at unix.Statfs_t // another file system may be mounted over it
		if unix.Statfs(fields[1], &at) == nil && at.Type == unix.CGROUP2_SUPER_MAGIC {
			return fields[1], nil
		}
	}
	return "", ErrNoCgroup2
}

func inode(path string) (uint64, error) {
	var st unix.Stat_t
	err := unix.Stat(path, &st)
	return st.Ino, err
}
