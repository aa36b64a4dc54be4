package cgroup

import (
	"strings"

	"cassini/model"
)

// Choose picks from /proc/PID/cgroup (cgroups(7)) the path that tells most: one process
// has a path in the cgroup v2 and, where there are any, in each hierarchy of the v1, and
// runtimes without systemd may have made a cgroup in only some of them. Of paths that
// tell as much it is the v2's, then the first. It is "" where there is none.
func Choose(procCgroup string) (best string) {
	most := -1
	for line := range strings.Lines(procCgroup) {
		number, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		controllers, path, ok := strings.Cut(rest, ":")
		if !ok || !strings.HasPrefix(path, "/") {
			continue
		}
		tells := 2 * weight(Parse(path))
		if number == "0" && controllers == "" {
			tells++
		}
		if tells > most {
			best, most = path, tells
		}
	}
	return best
}

// weight orders homes by how much they tell.
func weight(h model.Home) (n int) {
	for i, known := range []bool{h.Slice != "", h.Scope != "" || h.Session != "", h.SystemdUnit != "", h.PodUID != "", h.ContainerID != ""} {
		if known {
			n += 1 << i
		}
	}
	return n
}
