package host

import (
	"bytes"
	"os"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// A container's process is told of once for each life, and what the path says is there.
func TestContained(t *testing.T) {
	const id = "6a4b1d0cbe2f4d8f9b3a51c2d7e8f90123456789abcdef0123456789abcdef01"
	p := NewProcesses()
	p.cgroups.paths.put(7, "/system.slice/docker-"+id+".scope")
	p.cgroups.paths.put(8, "/system.slice/nginx.service")
	var heard []model.Home
	p.Contained(func(h model.Home, _ string) { heard = append(heard, h) })

	image := bpf.Image{Exe: "/bin/x", Cwd: "/", Cmdline: []string{"x"}}
	for range 3 {
		p.Resolve(bpf.Owner{Tgid: 1, StartNs: 1, Cgroup: 7}, image)
	}
	p.Resolve(bpf.Owner{Tgid: 2, StartNs: 1, Cgroup: 7}, image)
	outside := p.Resolve(bpf.Owner{Tgid: 3, StartNs: 1, Cgroup: 8}, image)
	want := model.Home{Slice: "system.slice", Runtime: model.RuntimeDocker, ContainerID: id}
	if len(heard) != 2 || heard[0] != want {
		t.Errorf("heard %+v", heard)
	}
	if outside.Home == nil || outside.Home.SystemdUnit != "nginx.service" {
		t.Errorf("outside: %+v", outside.Home)
	}
}

// Where the cgroup v2 cannot tell, /proc does, unless the pid is another life's by now.
func TestPathOfLife(t *testing.T) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	ticks, _ := startTicks(bytes.Clone(stat))
	start := ticks * (1e9 / userHZ)
	if got := byPID(os.Getpid(), start); got == "" {
		t.Error("our own cgroup is not known")
	}
	if got := byPID(os.Getpid(), start+1e9); got != "" {
		t.Errorf("of another life: %q", got)
	}
	c := &cgroups{paths: cache[uint64, string]{limit: 4}} // without a mount
	if got := c.path(1, os.Getpid(), start); got != byPID(os.Getpid(), start) {
		t.Errorf("got %q", got)
	}
}
