package capture

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// counting is a server that takes connections, closes them and counts them.
func counting(t *testing.T) (*net.TCPAddr, *atomic.Int64) {
	t.Helper()
	l, taken := listen(t, "tcp4", "127.0.0.1:0", false), new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			taken.Add(1)
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr), taken
}

// Many short lives of one program, each in a cgroup of its own, are one dependency with
// exact counts, one document of lives, and no more places in the kernel's map than live.
func TestHerd(t *testing.T) {
	lives := 100
	if inVM() {
		lives = 20
	}
	roots := cgroupRoots(t)
	if len(roots) == 0 {
		t.Fatal("no cgroup v2")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, bpf.Limits{})
	server, taken := counting(t)
	port := uint16(server.Port)
	told := func(pkg string) (n int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		for name, times := range r.times {
			what := map[string]string{model.PackagePrograms: exe, model.PackageDependencies: fmt.Sprintf(":%d/tcp", port)}[pkg]
			if name.Package == pkg && strings.Contains(name.Key, what) {
				n += times
			}
		}
		return n
	}
	for i := range lives {
		dir := filepath.Join(roots[0], fmt.Sprintf("cassini-herd-%d-%d", os.Getpid(), i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		at, err := os.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, childArg, server.String())
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(at.Fd())}
		err = cmd.Run()
		_ = at.Close()
		if removed := os.Remove(dir); err != nil || removed != nil {
			t.Fatal(err, removed)
		}
	}
	waitFor(r, "every connection of every life", func() []bool {
		r.refresh()
		exact := bodies(r, model.PackageDependencies, func(d model.Dependency) bool {
			return d.Port == port && d.Connections == uint64(taken.Load())
		})
		if len(exact) != 2 { // both ends
			return nil
		}
		return []bool{true}
	})
	if taken.Load() != int64(lives) {
		t.Errorf("the server took %d connections, want %d", taken.Load(), lives)
	}
	herd := waitFor(r, "every life ended", func() []model.Program {
		r.refresh()
		return bodies(r, model.PackagePrograms, func(p model.Program) bool { return p.Exe == exe && p.Deaths >= uint64(lives) })
	})
	// The test itself is the program too: a life that was found, and lives on.
	if herd.Births != uint64(lives) || herd.Deaths != uint64(lives) || herd.Alive() > 1 {
		t.Errorf("lives %+v, want %d", herd.Lives, lives)
	}
	waitFor(r, "the kernel's places were freed", func() []bool {
		r.refresh()
		stats, err := r.Stats()
		// Where the kernel hides a close (see hiddenCloses), the edge waits for it.
		if err != nil || stats.Lives.Released < uint64(lives/2) {
			return nil
		}
		return []bool{true}
	})
	for _, pkg := range []string{model.PackageDependencies, model.PackagePrograms} {
		if n := told(pkg); n > 10 {
			t.Errorf("%d documents of package %s for %d lives", n, pkg, lives)
		}
	}
}
