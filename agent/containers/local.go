package containers

import (
	"cassini/agent/containers/engine"
	"cassini/agent/containers/files"
	"cassini/model"
)

// Local are the sources of this machine, where runtimes have them unless told otherwise.
// Files come before sockets where they are as good: Podman's socket would start it.
func Local() []Source {
	return []Source{
		files.Bundles{Roots: []string{
			"/run/containerd/io.containerd.runtime.v2.task",
			"/run/k3s/containerd/io.containerd.runtime.v2.task",
			"/run/k0s/containerd/io.containerd.runtime.v2.task",
			"/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task",
		}},
		files.Storage{Roots: []string{"/var/lib/containers/storage"}, OfUser: ".local/share/containers/storage"},
		engine.Engine{Runtime: model.RuntimeDocker, Socket: "/run/docker.sock", UserSocket: "/run/user/%s/docker.sock"},
		files.Docker{Roots: []string{"/var/lib/docker", "/var/snap/docker/common/var-lib-docker"}, OfUser: ".local/share/docker"},
		engine.Engine{Runtime: model.RuntimePodman, Socket: "/run/podman/podman.sock", UserSocket: "/run/user/%s/podman/podman.sock"},
		files.LXC{Roots: []string{"/var/lib/lxc"}, OfUser: ".local/share/lxc"},
	}
}
