package capture

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// inCgroup makes a cgroup of the v2 below the root until the test ends.
func inCgroup(t *testing.T, path string) *os.File {
	t.Helper()
	roots := cgroupRoots(t)
	if len(roots) == 0 {
		t.Fatal("no cgroup v2")
	}
	dir := filepath.Join(roots[0], path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for at := dir; at != roots[0]; at = filepath.Dir(at) {
			_ = os.Remove(at) // another may be in it
		}
	})
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// accepting is a server that takes connections and closes them until the test ends.
func accepting(t testing.TB) *net.TCPAddr {
	t.Helper()
	l := listen(t, "tcp4", "127.0.0.1:0", false)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr)
}

// A process that lives in a container's cgroup and has gone before anybody looks is still
// told with its container; and so are the next life of it and one in another container.
func TestProcessesInContainers(t *testing.T) {
	const (
		docker = "6a4b1d0cbe2f4d8f9b3a51c2d7e8f90123456789abcdef0123456789abcdef01"
		pod    = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
		podUID = "2b8f3f5c-6f0e-4b7a-9d39-1a2b3c4d5e6f"
	)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r := start(t, bpf.Limits{})
	var mu sync.Mutex
	var heard []string
	r.Processes().Contained(func(h model.Home, cgroup string) {
		mu.Lock()
		defer mu.Unlock()
		if h.ContainerID != docker && h.ContainerID != pod {
			return // one that this machine has besides
		}
		if !slices.Contains(heard, h.ContainerID) {
			heard = append(heard, h.ContainerID)
		}
		if !r.Processes().Lives(cgroup) {
			t.Errorf("the cgroup %s of a process that was just seen is not there", cgroup)
		}
	})
	for _, c := range []struct { // each with a server of its own: one program that is client of one server is one dependency
		name, cgroup string
		want         model.Home
	}{
		{"Docker", "cassini-test/docker/" + docker, model.Home{Runtime: model.RuntimeDocker, ContainerID: docker}},
		{"Kubernetes", "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2b8f3f5c_6f0e_4b7a_9d39_1a2b3c4d5e6f.slice/cri-containerd-" + pod + ".scope",
			model.Home{Slice: "kubepods-burstable-pod2b8f3f5c_6f0e_4b7a_9d39_1a2b3c4d5e6f.slice", Runtime: model.RuntimeContainerd, ContainerID: pod, PodUID: podUID, PodQoS: "burstable"}},
	} {
		at, server := inCgroup(t, c.cgroup), accepting(t)
		for range 2 {
			cmd := exec.Command(exe, childArg, server.String())
			cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(at.Fd())}
			r.pause(func() { // nobody reads events until the process is gone
				if err := cmd.Run(); err != nil {
					t.Fatalf("%s: %v", c.name, err)
				}
			})
		}
		got := r.dependency(c.name, func(d model.Dependency) bool {
			return d.Direction == model.Out && d.Port == uint16(server.Port) && d.Connections == 2
		})
		if got.Home == nil || *got.Home != c.want {
			t.Errorf("%s: got %+v", c.name, got.Home)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(heard, []string{docker, pod}) {
		t.Errorf("heard of %q", heard)
	}
}
