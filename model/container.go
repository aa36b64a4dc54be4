package model

import "time"

// Container is the body of a PackageContainers document: what the container's runtime
// on that host, or its files, tell of a container in which a process with a socket was
// seen. It stays when the container ends, until the agent needs the room.
type Container struct {
	ID      string `json:"id"`                // as Home.ContainerID has it
	Runtime string `json:"runtime,omitempty"` // RuntimeDocker and others
	Name    string `json:"name,omitempty"`
	Image   string `json:"image,omitempty"`    // as it was asked for: "nginx:1.25"
	ImageID string `json:"image_id,omitempty"` // "sha256:..."
	// Of a Kubernetes pod: its namespace, name and UID, and what the pod calls the
	// container.
	PodNamespace string `json:"pod_namespace,omitempty"`
	PodName      string `json:"pod_name,omitempty"`
	PodUID       string `json:"pod_uid,omitempty"`
	PodContainer string `json:"pod_container,omitempty"`
	// Project and ProjectService are those of Docker Compose.
	Project        string    `json:"project,omitempty"`
	ProjectService string    `json:"project_service,omitempty"`
	Created        time.Time `json:"created,omitzero"`
	// Source is who told: "docker socket", "containerd files" and others.
	Source string    `json:"source"`
	Found  time.Time `json:"found"` // when it told
}

// Key is the document key: the id.
func (c Container) Key() string { return c.ID }

// NameStats are the figures of the names that an agent finds out.
type NameStats struct {
	Containers ContainerStats `json:"containers"`
	DNS        DNSStats       `json:"dns"`
}

// ContainerStats are the figures of what an agent knows of containers.
type ContainerStats struct {
	Known   int               `json:"known"`   // containers whose names are known
	Unknown int               `json:"unknown"` // others that were seen
	Found   map[string]uint64 `json:"found"`   // answers, by source
	// Failed counts questions without an answer, by reason: "unknown" (no runtime knows
	// it), "unreachable", "slow", "malformed".
	Failed    map[string]uint64 `json:"failed"`
	Forgotten uint64            `json:"forgotten"` // to make room for others
}
