package local

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// fileID is a file as stat(2) knows it; zero for none.
type fileID struct{ dev, ino uint64 }

// place is what a path means to a process.
type place struct {
	path  string // from the root of its mount namespace, without links
	space string // "" when the host sees the same file there, else "mnt:[INODE]"
	file  fileID // zero when nothing is there
	// looked says that somebody could look; else the path is taken as it was said.
	looked bool
}

// missing says that nothing is there.
func (p place) missing() bool { return p.looked && p.file == (fileID{}) }

// spoken is a path as a process says it.
type spoken struct {
	pid   int
	mntns uint32 // of that process
	cwd   string // "" when it has to be asked
	text  string
	whole bool // it is the path from the root of the mount namespace, whatever the process's root
}

// witnessLimit bounds how many mount namespaces a process is remembered of.
const witnessLimit = 1024

// places finds what paths mean. It is not safe for concurrent use.
type places struct {
	host    uint32         // the mount namespace of init, or our own
	root    string         // its root
	witness map[uint32]int // a process in each mount namespace
}

func newPlaces() *places {
	p := &places{host: mntnsOf("1"), root: "/proc/1/root", witness: make(map[uint32]int)}
	if p.host == 0 {
		p.host, p.root = mntnsOf("self"), "/"
	}
	return p
}

func mntnsOf(pid string) uint32 {
	var st unix.Stat_t
	if unix.Stat("/proc/"+pid+"/ns/mnt", &st) != nil {
		return 0
	}
	return uint32(st.Ino)
}

// met remembers a process of a mount namespace.
func (p *places) met(mntns uint32, pid int) {
	if mntns != 0 && mntns != p.host && (len(p.witness) < witnessLimit || p.witness[mntns] != 0) {
		p.witness[mntns] = pid
	}
}

// find looks at a path with the eyes of the process, or of another one in its mount
// namespace when it has gone. What cannot be looked at is taken as it was said.
func (p *places) find(s spoken) place {
	found := place{path: s.text}
	if !path.IsAbs(s.text) && s.cwd != "" {
		found.path = s.cwd + "/" + s.text
	}
	for _, w := range p.ways(s, found.path) {
		if looked, err := look(w.root, w.name); err == nil {
			found = looked
			break
		}
	}
	if s.mntns == 0 || s.mntns == p.host {
		return found
	}
	if here, err := look(p.root, found.path); err != nil || here.file != found.file || found.file == (fileID{}) {
		found.space = fmt.Sprintf("mnt:[%d]", s.mntns)
	}
	return found
}

// way is a name below a directory that stands for the root that the process sees.
type way struct{ root, name string }

// ways are those to a path, the best first. What is said from a directory is the path from the root of
// the mount namespace, and a process may have another root (chroot(2)).
func (p *places) ways(s spoken, name string) (ways []way) {
	if s.mntns != 0 && mntnsOf(strconv.Itoa(s.pid)) == s.mntns {
		own := fmt.Sprintf("/proc/%d/root", s.pid)
		if path.IsAbs(s.text) && !s.whole {
			ways = append(ways, way{own, name})
		} else {
			ways = appendBelow(ways, own, name)
		}
	}
	if other := p.witness[s.mntns]; other != 0 && other != s.pid && mntnsOf(strconv.Itoa(other)) == s.mntns {
		ways = appendBelow(ways, fmt.Sprintf("/proc/%d/root", other), name)
	}
	if s.mntns == 0 || s.mntns == p.host {
		ways = append(ways, way{p.root, name})
	}
	return ways
}

// appendBelow takes a path from the root of the mount namespace, if it is below the root of a process.
func appendBelow(ways []way, root, name string) []way {
	at, err := os.Readlink(root)
	if err != nil {
		return ways
	}
	if rest, below := strings.CutPrefix(name, strings.TrimSuffix(at, "/")+"/"); below {
		return append(ways, way{root, "/" + rest})
	}
	return ways
}

// look finds a file below a root, links and all. It is no error when the directory is
// there and the file is not.
func look(root, name string) (place, error) {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return place{}, fmt.Errorf("open root: %w", err)
	}
	defer unix.Close(dir)
	found, err := open(dir, name)
	if !errors.Is(err, unix.ENOENT) {
		return found, err
	}
	above, base := path.Split(name) // ".." is left to the kernel, which knows links
	parent, err := open(dir, above)
	if errors.Is(err, unix.ENOENT) {
		return place{path: path.Clean(name), looked: true}, nil
	}
	return place{path: path.Join(parent.path, base), looked: err == nil}, err
}

func open(root int, name string) (place, error) {
	fd, err := unix.Openat2(root, name, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	})
	if err != nil {
		return place{}, fmt.Errorf("open %s: %w", name, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return place{}, fmt.Errorf("stat %s: %w", name, err)
	}
	at, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(fd))
	if err != nil {
		return place{}, fmt.Errorf("name %s: %w", name, err)
	}
	return place{path: strings.TrimSuffix(at, " (deleted)"), file: fileID{st.Dev, st.Ino}, looked: true}, nil
}

// cwd is the directory of a process as its mount namespace names it; "" when it has gone.
func cwd(pid int) string {
	at, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return ""
	}
	return at
}
