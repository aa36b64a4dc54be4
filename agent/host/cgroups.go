package host

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileidKernfs is the type of file handles that hold a kernfs id
// (FILEID_KERNFS, include/linux/exportfs.h): for cgroups, the cgroup id.
const fileidKernfs = 0xfe

// cgroups turns ids of the cgroup v2 into paths.
type cgroups struct {
	mount string // where cgroup2 is mounted; "" when it is not
	paths cache[uint64, string]
}

func newCgroups() *cgroups {
	c := &cgroups{paths: cache[uint64, string]{limit: cacheLimit}}
	if raw, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		c.mount = cgroup2Mount(raw)
	}
	return c
}

// cgroup2Mount finds where cgroup2 is mounted (proc_pid_mountinfo(5): the mount
// point is field 5, the file system type the first after " - ").
func cgroup2Mount(mountinfo []byte) string {
	for line := range strings.Lines(string(mountinfo)) {
		before, after, _ := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if strings.HasPrefix(after, "cgroup2 ") && len(fields) >= 5 {
			return fields[4]
		}
	}
	return ""
}

// path is the cgroup's path below the mount, "/" for the root, "" when it cannot
// be told. The kernel resolves the id, so that the process need not live.
func (c *cgroups) path(id uint64, pid int) string {
	if path, ok := c.paths.get(id); ok {
		return path
	}
	path := c.byHandle(id)
	if path == "" {
		path = byPID(pid)
	}
	if path != "" {
		c.paths.put(id, path)
	}
	return path
}

func (c *cgroups) byHandle(id uint64) string {
	if c.mount == "" {
		return ""
	}
	mount, err := unix.Open(c.mount, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(mount)
	handle := unix.NewFileHandle(fileidKernfs, binary.NativeEndian.AppendUint64(nil, id))
	fd, err := unix.OpenByHandleAt(mount, handle, unix.O_PATH|unix.O_CLOEXEC)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	path, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(c.mount, path)
	if err != nil {
		return ""
	}
	return filepath.Join("/", rel)
}

// byPID reads the cgroup v2 path of a living process (cgroups(7): "0::PATH").
func byPID(pid int) string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cgroup")
	if err != nil {
		return ""
	}
	for line := range bytes.Lines(raw) {
		if path, ok := bytes.CutPrefix(line, []byte("0::")); ok {
			return string(bytes.TrimSpace(path))
		}
	}
	return ""
}
