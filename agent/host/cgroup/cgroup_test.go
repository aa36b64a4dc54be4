package cgroup

import (
	"strings"
	"testing"

	"cassini/model"
)

const (
	id  = "6a4b1d0cbe2f4d8f9b3a51c2d7e8f90123456789abcdef0123456789abcdef01"
	id2 = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
	uid = "2b8f3f5c-6f0e-4b7a-9d39-1a2b3c4d5e6f"
	// As it stands in names of slices, where a dash separates.
	uid_ = "2b8f3f5c_6f0e_4b7a_9d39_1a2b3c4d5e6f"
	// Of a static pod: the hash of its manifest (pkg/kubelet/config/common.go).
	static = "8b8f3f5c6f0e4b7a9d391a2b3c4d5e6f"
)

// Shapes of paths as these write them; the comment before each group says where that is
// laid down.
func TestParse(t *testing.T) {
	docker := model.Home{Runtime: model.RuntimeDocker, ContainerID: id}
	for path, want := range map[string]model.Home{
		"": {}, "/": {}, "..": {}, "/../..": {}, "/init.scope": {Scope: "init.scope"},

		// systemd: docs/CONTROL_GROUP_INTERFACE and CGROUP_DELEGATION; systemd.slice(5).
		"/system.slice/nginx.service":                                      {Slice: "system.slice", SystemdUnit: "nginx.service"},
		"/system.slice/system-getty.slice/getty@tty1.service":              {Slice: "system-getty.slice", SystemdUnit: "getty@tty1.service"},
		`/system.slice/system-postgresql.slice/postgresql@15-main.service`: {Slice: "system-postgresql.slice", SystemdUnit: "postgresql@15-main.service"},
		"/system.slice/systemd-udevd.service/udev":                         {Slice: "system.slice", SystemdUnit: "systemd-udevd.service"}, // delegated
		"/system.slice/dbus.socket":                                        {Slice: "system.slice", SystemdUnit: "dbus.socket"},
		`/system.slice/mnt-my\x2ddisk.mount`:                               {Slice: "system.slice", SystemdUnit: `mnt-my\x2ddisk.mount`},
		`/system.slice/dev-disk-by\x2dpath-pci:0000:00:1f.2.swap`:          {Slice: "system.slice", SystemdUnit: `dev-disk-by\x2dpath-pci:0000:00:1f.2.swap`},
		"/system.slice/_cpu.service":                                       {Slice: "system.slice", SystemdUnit: "cpu.service"}, // cg_escape(), src/basic/cgroup-util.c
		"/../../system.slice/ssh.service":                                  {Slice: "system.slice", SystemdUnit: "ssh.service"}, // cgroup_namespaces(7)
		"/system.slice/run-r3f2.scope":                                     {Slice: "system.slice", Scope: "run-r3f2.scope"},    // systemd-run(1) --scope
		// pam_systemd(8), user@.service(5).
		"/user.slice/user-1000.slice/session-3.scope":                                                        {Slice: "user-1000.slice", Session: "3", LoginUID: "1000"},
		"/user.slice/user-0.slice/session-c1.scope":                                                          {Slice: "user-0.slice", Session: "c1", LoginUID: "0"},
		"/user.slice/user-1000.slice/user@1000.service/init.scope":                                           {Slice: "user-1000.slice", SystemdUnit: "user@1000.service", Scope: "init.scope", LoginUID: "1000"},
		"/user.slice/user-1000.slice/user@1000.service/app.slice/syncthing.service":                          {Slice: "app.slice", SystemdUnit: "syncthing.service", LoginUID: "1000"},
		"/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-4242.scope":               {Slice: "app.slice", SystemdUnit: "user@1000.service", Scope: "app-gnome-firefox-4242.scope", LoginUID: "1000"},
		"/user.slice/user-1000.slice/user@1000.service/session.slice/org.gnome.Shell@wayland.service":        {Slice: "session.slice", SystemdUnit: "org.gnome.Shell@wayland.service", LoginUID: "1000"},
		"/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte-1.scope/x": {Slice: "app-org.gnome.Terminal.slice", SystemdUnit: "user@1000.service", Scope: "vte-1.scope", LoginUID: "1000"},
		"/system.slice/session-3.scope":                                                                      {Slice: "system.slice", Scope: "session-3.scope"}, // not a login's

		// Docker, drivers cgroupfs and systemd: moby daemon/oci_linux.go WithCgroups;
		// opencontainers/cgroups systemd/common.go: PREFIX-NAME.scope.
		"/docker/" + id:                                                                    docker,
		"/system.slice/docker-" + id + ".scope":                                            {Slice: "system.slice", Runtime: model.RuntimeDocker, ContainerID: id},
		"/system.slice/docker-" + id + ".scope/init":                                       {Slice: "system.slice", Runtime: model.RuntimeDocker, ContainerID: id},
		"/docker/" + id + "/system.slice/nginx.service":                                    {Slice: "system.slice", SystemdUnit: "nginx.service", Runtime: model.RuntimeDocker, ContainerID: id},
		"/docker/" + id2 + "/docker/" + id:                                                 docker, // Docker in Docker: the innermost
		"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope": {Slice: "user.slice", SystemdUnit: "user@1000.service", LoginUID: "1000", Runtime: model.RuntimeDocker, ContainerID: id},
		"/customers/" + id:                                                                 {ContainerID: id}, // --cgroup-parent
		"/batch.slice/docker-" + id + ".scope":                                             {Slice: "batch.slice", Runtime: model.RuntimeDocker, ContainerID: id},
		"/system.slice:docker:" + id:                                                       {Slice: "system.slice", Runtime: model.RuntimeDocker, ContainerID: id}, // a systemd path taken literally
		"/docker/buildkit/2x3l9n8fyl6kzv5p0cyqxmbtr":                                       {},
		"/docker":                        {},
		"/docker/" + strings.ToUpper(id): {},
		"/docker/" + id[:63]:             {},
		"/actions_job/" + id:             {ContainerID: id}, // GitHub's runner
		// Amazon ECS agent: agent/taskresource/cgroup; Fargate: its metadata v4.
		"/ecs/" + static + "/" + id:                                             {Runtime: model.RuntimeDocker, ContainerID: id},
		"/ecs/web/" + static + "/" + id:                                         {Runtime: model.RuntimeDocker, ContainerID: id},
		"/ecs/" + static + "/" + static + "-3735928559":                         {ContainerID: static + "-3735928559"},
		"/ecstasks.slice/ecstasks-" + static + ".slice/docker-" + id + ".scope": {Slice: "ecstasks-" + static + ".slice", Runtime: model.RuntimeDocker, ContainerID: id},

		// Podman: libpod/oci_conmon_common.go, container_internal_linux.go; crun puts the
		// payload into "container".
		"/machine.slice/libpod-" + id + ".scope/container":                                           {Slice: "machine.slice", Runtime: model.RuntimePodman, ContainerID: id},
		"/machine.slice/libpod-" + id + ".scope":                                                     {Slice: "machine.slice", Runtime: model.RuntimePodman, ContainerID: id},
		"/machine.slice/libpod-conmon-" + id + ".scope":                                              {Slice: "machine.slice", Scope: ""},
		"/machine.slice/machine-libpod_pod_" + id2 + ".slice/libpod-" + id + ".scope/container":      {Slice: "machine-libpod_pod_" + id2 + ".slice", Runtime: model.RuntimePodman, ContainerID: id},
		"/libpod_parent/libpod-" + id:                                                                {Runtime: model.RuntimePodman, ContainerID: id},
		"/libpod_parent/conmon":                                                                      {},
		"/libpod_parent/" + id2 + "/libpod-" + id:                                                    {Runtime: model.RuntimePodman, ContainerID: id},
		"/system.slice/shop.service/libpod-payload-" + id:                                            {Slice: "system.slice", SystemdUnit: "shop.service", Runtime: model.RuntimePodman, ContainerID: id}, // --cgroups=split
		"/system.slice/shop.service/runtime":                                                         {Slice: "system.slice", SystemdUnit: "shop.service"},
		"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container": {Slice: "user.slice", SystemdUnit: "user@1000.service", LoginUID: "1000", Runtime: model.RuntimePodman, ContainerID: id},

		// Kubernetes, drivers cgroupfs and systemd: pkg/kubelet/cm/cgroup_manager_linux.go,
		// pod_container_manager_linux.go. Guaranteed pods have no class of their own.
		"/kubepods/burstable/pod" + uid + "/" + id:  {PodUID: uid, PodQoS: "burstable", ContainerID: id},
		"/kubepods/besteffort/pod" + uid + "/" + id: {PodUID: uid, PodQoS: "besteffort", ContainerID: id},
		"/kubepods/pod" + uid + "/" + id:            {PodUID: uid, PodQoS: "guaranteed", ContainerID: id},
		"/kubepods/pod" + static + "/" + id:         {PodUID: static, PodQoS: "guaranteed", ContainerID: id},
		"/kubepods/burstable/pod" + uid:             {PodUID: uid, PodQoS: "burstable"},
		"/kubepods/podnonsense/" + id:               {ContainerID: id},
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope":                                       {Slice: "kubepods-burstable-pod" + uid_ + ".slice", PodUID: uid, PodQoS: "burstable", Runtime: model.RuntimeContainerd, ContainerID: id},
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + static + ".slice/crio-" + id + ".scope":                                             {Slice: "kubepods-besteffort-pod" + static + ".slice", PodUID: static, PodQoS: "besteffort", Runtime: model.RuntimeCRIO, ContainerID: id},
		"/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-" + id + ".scope/container":                                                                          {Slice: "kubepods-pod" + uid_ + ".slice", PodUID: uid, PodQoS: "guaranteed", Runtime: model.RuntimeCRIO, ContainerID: id},
		"/kubepods.slice/kubepods-pod" + uid_ + ".slice/crio-conmon-" + id + ".scope":                                                                             {Slice: "kubepods-pod" + uid_ + ".slice", PodUID: uid, PodQoS: "guaranteed"},
		"/kubepods.slice/kubepods-pod" + uid_ + ".slice/docker-" + id + ".scope":                                                                                  {Slice: "kubepods-pod" + uid_ + ".slice", PodUID: uid, PodQoS: "guaranteed", Runtime: model.RuntimeDocker, ContainerID: id}, // cri-dockerd
		"/system.slice/containerd.service/kubepods-burstable-pod" + uid_ + ".slice:cri-containerd:" + id:                                                          {Slice: "kubepods-burstable-pod" + uid_ + ".slice", SystemdUnit: "containerd.service", PodUID: uid, PodQoS: "burstable", Runtime: model.RuntimeContainerd, ContainerID: id},
		"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/kubelet-kubepods-burstable-pod" + uid_ + ".slice/cri-containerd-" + id + ".scope": {Slice: "kubelet-kubepods-burstable-pod" + uid_ + ".slice", PodUID: uid, PodQoS: "burstable", Runtime: model.RuntimeContainerd, ContainerID: id}, // kind, --cgroup-root
		"/docker/" + id2 + "/kubelet/kubepods/besteffort/pod" + uid + "/" + id:                                                                                    {PodUID: uid, PodQoS: "besteffort", ContainerID: id},                                                                                             // kind with cgroupfs

		// containerd's own clients: nerdctl pkg/cmd/container/run_cgroup_linux.go; cgroupfs is /NAMESPACE/ID.
		"/system.slice/nerdctl-" + id + ".scope": {Slice: "system.slice", Runtime: model.RuntimeContainerd, ContainerID: id},
		"/k8s.io/" + id:                          {ContainerID: id},
		"/default/redis":                         {},

		// LXC: lxc.container.conf(5) lxc.cgroup.dir.*, src/lxc/cgroups/cgfsng.c (4.0 on; before it /lxc/NAME); Incus and LXD put
		// the project before the name; Proxmox has numbers.
		"/lxc.payload.web":                            {Runtime: model.RuntimeLXC, ContainerID: "web"},
		"/lxc.payload.web.service/init.scope":         {Runtime: model.RuntimeLXC, ContainerID: "web.service", Scope: "init.scope"},
		"/lxc.payload.web/system.slice/nginx.service": {Runtime: model.RuntimeLXC, ContainerID: "web", Slice: "system.slice", SystemdUnit: "nginx.service"},
		"/lxc.payload.shop_web/.lxc":                  {Runtime: model.RuntimeLXC, ContainerID: "shop_web"},
		"/lxc/101/ns/init.scope":                      {Runtime: model.RuntimeLXC, ContainerID: "101", Scope: "init.scope"},
		"/lxc.payload/web/user.slice":                 {Runtime: model.RuntimeLXC, ContainerID: "web", Slice: "user.slice"},
		"/lxc.monitor.web":                            {},
		"/lxc":                                        {},
		"/lxc.payload.web/docker/" + id:               docker,

		// systemd-nspawn(1), CONTAINER_INTERFACE, systemd-machined: names are escaped.
		"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service": {Slice: "system.slice", SystemdUnit: "nginx.service", Runtime: model.RuntimeNspawn, ContainerID: "web"},
		`/machine.slice/systemd-nspawn@my\x2dweb.service/payload`:                      {Slice: "machine.slice", SystemdUnit: `systemd-nspawn@my\x2dweb.service`, Runtime: model.RuntimeNspawn, ContainerID: "my-web"},
		"/machine.slice/systemd-nspawn@web.service/supervisor":                         {Slice: "machine.slice", SystemdUnit: "systemd-nspawn@web.service"},
		"/machine.slice/systemd-nspawn@web.service":                                    {Slice: "machine.slice", SystemdUnit: "systemd-nspawn@web.service"},
		`/machine.slice/machine-my\x2dweb.scope/payload`:                               {Slice: "machine.slice", Runtime: model.RuntimeNspawn, ContainerID: "my-web"},
		// libvirt: src/util/vircgroup.c, virsystemd.c.
		`/machine.slice/machine-qemu\x2d3\x2ddb\x2d1.scope/libvirt/emulator`: {Slice: "machine.slice", Scope: `machine-qemu\x2d3\x2ddb\x2d1.scope`},
		`/machine.slice/machine-lxc\x2d4242\x2dweb.scope`:                    {Slice: "machine.slice", Runtime: model.RuntimeLXC, ContainerID: "web"},
	} {
		if got := Parse(path); got != want {
			t.Errorf("%s:\n got %+v\nwant %+v", path, got, want)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`a\x2db\x2dc`: "a-b-c", `\x`: `\x`, `\x2`: `\x2`, `\xzz`: `\xzz`, "": "", `x\x5cx2d`: `x\x2d`,
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// One process, all hierarchies: the path that tells most counts.
func TestChoose(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"v2", "0::/system.slice/nginx.service\n", "/system.slice/nginx.service"},
		{"v2, nothing known of it", "0::/\n", "/"},
		// systemd's hybrid: the v1 has the controllers, both have the same tree.
		{"hybrid of systemd", "12:pids:/system.slice/nginx.service\n1:name=systemd:/system.slice/nginx.service\n0::/system.slice/nginx.service\n", "/system.slice/nginx.service"},
		// Docker with cgroupfs under it: nothing in the v2 (moby before 20.10).
		{"hybrid, Docker", "5:cpuset:/docker/" + id + "\n4:freezer:/\n1:name=systemd:/docker/" + id + "\n0::/system.slice/containerd.service\n", "/docker/" + id},
		{"v1, a controller that is not used", "3:rdma:/\n2:memory:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n", "/docker/" + id},
		// LXC on v1 delegates to the systemd inside, by its own hierarchy alone.
		{"v1, LXC", "2:memory:/lxc/web\n1:name=systemd:/lxc/web/system.slice/nginx.service\n", "/lxc/web/system.slice/nginx.service"},
		{"v1, user session", "2:memory:/user.slice\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n", "/user.slice/user-0.slice/session-1.scope"},
		{"a colon in the path", "0::/a:b\n", "/a:b"},
		{"nothing", "", ""},
		{"nonsense", "x\n::\n1:cpu\n", ""},
	} {
		if got := Choose(c.in); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// What somebody named cgroups must not be misread into something that no path can tell.
func FuzzParse(f *testing.F) {
	f.Add("/system.slice/docker-" + id + ".scope")
	f.Add("/kubepods.slice/kubepods-pod" + uid_ + ".slice:cri-containerd:" + id)
	f.Add(`/machine.slice/systemd-nspawn@a\x2db.service/payload`)
	f.Add("/user.slice/user-1000.slice/session-3.scope")
	f.Add("0::/a\n1:name=systemd:/lxc/web\n")
	f.Fuzz(func(t *testing.T, text string) {
		h := Parse(text)
		if h.PodUID != "" && !isUID(h.PodUID) {
			t.Errorf("%q: pod %q", text, h.PodUID)
		}
		if (h.PodUID != "") && h.PodQoS == "" {
			t.Errorf("%q: a pod without a class", text)
		}
		if h.Session != "" && h.LoginUID == "" {
			t.Errorf("%q: a session of nobody", text)
		}
		if h.Runtime != "" && h.ContainerID == "" && h.Runtime != model.RuntimeLXC && h.Runtime != model.RuntimeNspawn {
			t.Errorf("%q: a runtime without a container", text)
		}
		if path := Choose(text); path != "" && !strings.Contains(text, path) {
			t.Errorf("%q: chose %q", text, path)
		}
	})
}
