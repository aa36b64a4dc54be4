package host

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"cassini/agent/host/cgroup"
	"cassini/model"

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
// be told. The kernel resolves the id, so that the process need not live. Where the
// cgroup v2 does not tell, because it is not in use or has everything in its root, it is
// the path in the hierarchy of the v1 that tells most, if the process that started
// startNs after boot still lives.
func (c *cgroups) path(id uint64, pid int, startNs uint64) string {
	if path, ok := c.paths.get(id); ok {
		return path
	}
	path := c.byHandle(id)
	if path != "" && path != "/" {
		c.paths.put(id, path)
		return path
	}
	other := byPID(pid, startNs)
	if path == "" || !cgroup.Parse(other).Empty() {
		return other // not kept: in the v1, all have the same id
	}
	return path
}

// open opens a cgroup by its id; the error is ESTALE when there is none.
func (c *cgroups) open(id uint64) (int, error) {
	mount, err := unix.Open(c.mount, unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(mount)
	handle := unix.NewFileHandle(fileidKernfs, binary.NativeEndian.AppendUint64(nil, id))
	return unix.OpenByHandleAt(mount, handle, unix.O_PATH|unix.O_CLOEXEC)
}

func (c *cgroups) byHandle(id uint64) string {
	if c.mount == "" {
		return ""
	}
	fd, err := c.open(id)
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

// gone says whether a cgroup that was there is no more. It takes what cannot be asked about
// for there.
func (c *cgroups) gone(id uint64) bool {
	if c.mount == "" {
		return false
	}
	fd, err := c.open(id)
	if err == nil {
		unix.Close(fd)
	}
	return errors.Is(err, unix.ESTALE)
}

// byPID reads the path of a living process, of the hierarchy that tells most.
func byPID(pid int, startNs uint64) string {
	dir := "/proc/" + strconv.Itoa(pid)
	raw, err := os.ReadFile(dir + "/cgroup")
	if err != nil || !sameLife(dir, startNs) {
		return ""
	}
	return cgroup.Choose(string(raw))
}

// home is what a cgroup's path tells; nil when that is nothing.
func home(path string) *model.Home {
	if h := cgroup.Parse(path); !h.Empty() {
		return &h
	}
	return nil
}

// CgroupGone says whether a cgroup of the v2 that was seen by its id is no more.
func (p *Processes) CgroupGone(id uint64) bool { return p.cgroups.gone(id) }

// Lives says whether a cgroup of the v2 is still there. Others are taken to be.
func (p *Processes) Lives(path string) bool {
	if p.cgroups.mount == "" {
		return true
	}
	_, err := os.Stat(filepath.Join(p.cgroups.mount, path))
	return !errors.Is(err, fs.ErrNotExist)
}
