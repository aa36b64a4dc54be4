package model

// Home is where a process lives, as the path of its cgroup tells: a systemd unit or
// login session, a container, a Kubernetes pod. Names of containers and pods are not
// in that path: they are in Container.
type Home struct {
	// SystemdUnit is the innermost systemd service (or socket, mount, swap), as
	// systemctl shows it: "nginx.service", "user@1000.service".
	SystemdUnit string `json:"unit,omitempty"`
	// Slice is the innermost systemd slice: "system.slice".
	Slice string `json:"slice,omitempty"`
	// Scope is the innermost systemd scope that is neither a container nor a login
	// session: "app-firefox-1234.scope".
	Scope string `json:"scope,omitempty"`
	// Session is the number of the login session: "3", "c1".
	Session string `json:"session,omitempty"`
	// LoginUID is the user whose slice it is: "1000".
	LoginUID string `json:"login_uid,omitempty"`
	// Runtime manages the container: RuntimeDocker and others, "" where the path does
	// not say.
	Runtime string `json:"runtime,omitempty"`
	// ContainerID is that of the innermost container: 64 hexadecimal digits as a rule, a
	// name with LXC and systemd-nspawn.
	ContainerID string `json:"container_id,omitempty"`
	// PodUID is the UID of the Kubernetes pod, PodQoS its class: "guaranteed",
	// "burstable" or "besteffort".
	PodUID string `json:"pod_uid,omitempty"`
	PodQoS string `json:"pod_qos,omitempty"`
}

// Container runtimes.
const (
	RuntimeDocker     = "docker"
	RuntimeContainerd = "containerd"
	RuntimeCRIO       = "cri-o"
	RuntimePodman     = "podman"
	RuntimeLXC        = "lxc"
	RuntimeNspawn     = "systemd-nspawn"
)

// Empty says that nothing is known.
func (h Home) Empty() bool { return h == Home{} }
