package model

import "cmp"

// Where is where a process lives, as the API and the CLI show it: what the path of its
// cgroup and its container's runtime tell, joined. Fields are empty where neither does.
type Where struct {
	Unit     string `json:"unit,omitempty"`
	Slice    string `json:"slice,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Session  string `json:"session,omitempty"`
	LoginUID string `json:"login_uid,omitempty"`
	// Container is its name, ContainerID is there even where no name is known.
	Container   string `json:"container,omitempty"`
	ContainerID string `json:"container_id,omitempty"`
	Runtime     string `json:"runtime,omitempty"`
	Image       string `json:"image,omitempty"`
	// Of a Kubernetes pod: Namespace, its name, what it calls the container.
	Namespace    string `json:"namespace,omitempty"`
	Pod          string `json:"pod,omitempty"`
	PodContainer string `json:"pod_container,omitempty"`
	PodUID       string `json:"pod_uid,omitempty"`
	PodQoS       string `json:"pod_qos,omitempty"`
	// Project and ProjectService are those of Docker Compose.
	Project        string `json:"project,omitempty"`
	ProjectService string `json:"project_service,omitempty"`
}

// NewWhere joins where a process lives with what is known of its container, which may be
// nil. It is nil when nothing is known.
func NewWhere(p Process, c *Container) *Where {
	w := Where{Unit: p.Unit()}
	if h := p.Home; h != nil {
		w = Where{
			Unit: h.SystemdUnit, Slice: h.Slice, Scope: h.Scope, Session: h.Session, LoginUID: h.LoginUID,
			ContainerID: h.ContainerID, Runtime: h.Runtime, PodUID: h.PodUID, PodQoS: h.PodQoS,
		}
		if h.Runtime == RuntimeLXC || h.Runtime == RuntimeNspawn {
			w.Container = h.ContainerID
		}
	}
	if c != nil {
		w.Container, w.Runtime, w.Image = cmp.Or(c.Name, w.Container), cmp.Or(c.Runtime, w.Runtime), c.Image
		w.Namespace, w.Pod, w.PodContainer, w.PodUID = c.PodNamespace, c.PodName, c.PodContainer, cmp.Or(w.PodUID, c.PodUID)
		w.Project, w.ProjectService = c.Project, c.ProjectService
	}
	if w == (Where{}) {
		return nil
	}
	known := w // so that nothing unknown takes memory
	return &known
}

// idShown is how much of a container's id people read.
const idShown = 12

// Label says it in a word: "shop/cart-7d9f" for a pod, with ":CONTAINER" where the pod
// calls it otherwise; the container; the unit; the login session. It is "" for nil.
func (w *Where) Label() string {
	switch {
	case w == nil:
		return ""
	case w.Pod != "":
		label := w.Pod
		if w.Namespace != "" {
			label = w.Namespace + "/" + label
		}
		if w.PodContainer != "" {
			label += ":" + w.PodContainer
		}
		return label
	case w.Container != "":
		return w.Container
	case w.ContainerID != "":
		return cmp.Or(w.Runtime, "container") + " " + w.ContainerID[:min(len(w.ContainerID), idShown)]
	case w.PodUID != "":
		return "pod " + w.PodUID
	case w.Session != "":
		return "session " + w.Session
	}
	return cmp.Or(w.Unit, w.Scope)
}
