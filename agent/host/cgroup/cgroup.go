// Package cgroup reads the paths of cgroups: which systemd unit, login session,
// container and Kubernetes pod a process in one belongs to. It is pure: a path in, a
// value out. Paths come from /proc/PID/cgroup or are those of the cgroup v2.
package cgroup

import (
	"strings"

	"cassini/model"
)

// Parse reads the path of a cgroup. What it does not tell stays empty. Where containers
// are inside others, the innermost counts; a unit may be around the container (Podman's
// Quadlet) or inside it (LXC).
func Parse(path string) model.Home {
	var w walk
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." { // ".." where a cgroup namespace hides the rest
			continue
		}
		w.enter(part)
		w.before = part
	}
	return w.home
}

// walk is how far a path has been read.
type walk struct {
	home   model.Home
	before string // the part before this one
	kube   bool   // below a cgroup of kubelet
	ecs    bool   // below one of Amazon ECS
	// machine is the nspawn container whose service was the part before.
	machine string
}

func (w *walk) enter(part string) {
	if w.machine != "" { // systemd-nspawn puts itself into "supervisor"
		if part != "supervisor" {
			w.contain(model.RuntimeNspawn, w.machine)
		}
		w.machine = ""
	}
	if w.colons(part) || w.lxc(part) {
		return
	}
	unit := strings.TrimPrefix(part, "_") // cg_escape() of systemd
	switch name, kind := cutUnit(unit); kind {
	case "slice":
		w.slice(unit, name)
	case "scope":
		w.scope(unit, name)
	case "service":
		w.service(unit, name)
	case "socket", "mount", "swap":
		w.home.SystemdUnit, w.home.Scope = unit, ""
	default:
		w.directory(part)
	}
}

// cutUnit splits the name of a systemd unit from its type, "" where it is none.
func cutUnit(part string) (name, kind string) {
	i := strings.LastIndexByte(part, '.')
	if i <= 0 {
		return part, ""
	}
	return part[:i], part[i+1:]
}

// colons reads "SLICE:PREFIX:ID": a path meant for systemd that a runtime without it
// took literally.
func (w *walk) colons(part string) bool {
	fields := strings.Split(part, ":")
	if len(fields) != 3 || !isID(fields[2]) {
		return false
	}
	w.slice(fields[0], strings.TrimSuffix(fields[0], ".slice"))
	w.prefixed(fields[1], fields[2])
	return true
}

// lxc reads the names that LXC gives, which may be anything. Its monitor is outside of
// the container.
func (w *walk) lxc(part string) bool {
	name, payload := strings.CutPrefix(part, "lxc.payload.")
	if !payload && w.before != "lxc" && w.before != "lxc.payload" {
		return false
	}
	w.contain(model.RuntimeLXC, name)
	return true
}

func (w *walk) slice(unit, name string) {
	w.home.Slice = unit
	if uid, ok := strings.CutPrefix(name, "user-"); ok && isNumber(uid) {
		w.home.LoginUID = uid
	}
	// "kubepods-burstable-podUID", and before it what --cgroup-root adds.
	if i := strings.Index(name, "kubepods"); i == 0 || i > 0 && name[i-1] == '-' {
		w.kube = true
		class, uid, found := strings.Cut(name[i+len("kubepods"):], "-pod")
		w.qos(strings.TrimPrefix(class, "-"))
		if found {
			w.pod(uid)
		}
	}
}

func (w *walk) scope(unit, name string) {
	if session, ok := strings.CutPrefix(name, "session-"); ok && w.home.LoginUID != "" {
		w.home.Session, w.home.Scope = session, ""
		return
	}
	if machine, ok := strings.CutPrefix(name, "machine-"); ok && w.before == "machine.slice" {
		w.registered(unit, unescape(machine))
		return
	}
	if w.dashed(name) {
		return
	}
	w.home.Scope = unit
}

// registered is a scope that systemd-machined made for somebody: libvirt writes
// "qemu-NUMBER-NAME" and "lxc-NUMBER-NAME", systemd-nspawn the bare name.
func (w *walk) registered(unit, machine string) {
	driver, rest, _ := strings.Cut(machine, "-")
	number, name, ok := strings.Cut(rest, "-")
	switch libvirt := ok && isNumber(number); {
	case libvirt && driver == "lxc":
		w.contain(model.RuntimeLXC, name)
	case libvirt: // a virtual machine, which is no container
		w.home.Scope = unit
	default:
		w.contain(model.RuntimeNspawn, machine)
	}
}

func (w *walk) service(unit, name string) {
	w.home.SystemdUnit, w.home.Scope = unit, ""
	if uid, ok := strings.CutPrefix(name, "user@"); ok && isNumber(uid) {
		w.home.LoginUID = uid
	}
	if machine, ok := strings.CutPrefix(name, "systemd-nspawn@"); ok {
		w.machine = unescape(machine)
	}
}

// directory is a cgroup that systemd has not made.
func (w *walk) directory(part string) {
	switch {
	case part == "kubepods":
		w.kube = true
		w.qos("")
	case part == "ecs":
		w.ecs = true
	case w.kube && (part == "burstable" || part == "besteffort" || part == "guaranteed"):
		w.qos(part)
	case w.kube && strings.HasPrefix(part, "pod"):
		w.pod(strings.TrimPrefix(part, "pod"))
	case isID(part) && (w.before == "docker" || w.ecs):
		w.contain(model.RuntimeDocker, part)
	case isID(part) || w.ecs && isFargate(part):
		w.contain("", part)
	default:
		w.dashed(part)
	}
}

// dashed reads "PREFIX-ID". It is false where the part is not made so.
func (w *walk) dashed(name string) bool {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || !isID(name[i+1:]) {
		return false
	}
	w.prefixed(name[:i], name[i+1:])
	return true
}

// prefixed is a container as the runtime that put PREFIX before its id has it. What
// watches a container (conmon) is outside.
func (w *walk) prefixed(prefix, id string) {
	switch prefix {
	case "docker":
		w.contain(model.RuntimeDocker, id)
	case "cri-containerd", "nerdctl":
		w.contain(model.RuntimeContainerd, id)
	case "crio":
		w.contain(model.RuntimeCRIO, id)
	case "libpod", "libpod-payload":
		w.contain(model.RuntimePodman, id)
	default:
		if !strings.HasSuffix(prefix, "conmon") {
			w.contain("", id)
		}
	}
}

func (w *walk) contain(runtime, id string) {
	w.home.Runtime, w.home.ContainerID, w.home.Scope = runtime, id, ""
}

func (w *walk) pod(uid string) {
	uid = strings.ReplaceAll(uid, "_", "-")
	if !isUID(uid) {
		return
	}
	w.home.PodUID = uid
	if w.home.PodQoS == "" { // the only class without a cgroup of its own
		w.home.PodQoS = "guaranteed"
	}
}

func (w *walk) qos(class string) { w.home.PodQoS = class }
