package graph

import (
	"time"

	"cassini/model"
)

// containers are what hosts told of theirs, by name of the document.
type containers map[model.Name]*model.Container

func (g *Graph) applyContainer(doc *Decoded) bool {
	g.words++
	if doc.Gone() {
		delete(g.containers, doc.Name)
		return true
	}
	var c model.Container
	if !take(doc, &c) || c.ID == "" || c.ID != doc.Key {
		return false
	}
	g.containers[doc.Name] = &c
	forgetOldest(g, g.containers, func(c *model.Container) time.Time { return c.Found }, func(n model.Name) { delete(g.containers, n) })
	return true
}

// where tells where a process of a host lives.
func (all containers) where(host string, p model.Process) *model.Where {
	if p.Home == nil || p.Home.ContainerID == "" {
		return model.NewWhere(p, nil)
	}
	return model.NewWhere(p, all[model.Name{Host: host, Package: model.PackageContainers, Key: p.Home.ContainerID}])
}

// show is a service as it is answered.
func (all containers) show(s *service) model.Service {
	shown := s.now()
	shown.Where = all.where(s.host, shown.Process)
	shown.Home = nil // Where tells all of it
	return shown
}

// whereAttrs adds where a process lives to the attributes of its node.
func whereAttrs(a model.Attrs, w *model.Where) {
	if w == nil {
		return
	}
	set(a, "unit", w.Unit)
	set(a, "slice", w.Slice)
	set(a, "scope", w.Scope)
	set(a, "session", w.Session)
	set(a, "login_uid", w.LoginUID)
	set(a, "container", w.Container)
	set(a, "container_id", w.ContainerID)
	set(a, "runtime", w.Runtime)
	set(a, "image", w.Image)
	set(a, "namespace", w.Namespace)
	set(a, "pod", w.Pod)
	set(a, "pod_container", w.PodContainer)
	set(a, "pod_uid", w.PodUID)
	set(a, "pod_qos", w.PodQoS)
	set(a, "project", w.Project)
	set(a, "project_service", w.ProjectService)
}
