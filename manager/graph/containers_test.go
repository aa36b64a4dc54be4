package graph

import (
	"fmt"
	"testing"

	"cassini/model"
)

const containerID = "74351a15c137113a0adf2994b06ce11716d0199232231cd94b7d9bd19ada6c47"

// inContainer puts a listener's process into a container, as the agent tells it.
func inContainer(l *model.Listener) {
	l.Home = &model.Home{Runtime: model.RuntimeContainerd, ContainerID: containerID, PodUID: "u1", PodQoS: "burstable", Slice: "kubepods.slice"}
}

func (w *world) container(host string, edit ...func(*model.Container)) []model.Event {
	w.t.Helper()
	c := model.Container{
		ID: containerID, Runtime: model.RuntimeContainerd, Name: "cart", Image: "shop/cart:1.2",
		PodNamespace: "shop", PodName: "cart-7d9f", PodUID: "u1", PodContainer: "cart", Source: "containerd files", Found: w.now,
	}
	for _, f := range edit {
		f(&c)
	}
	return w.put(model.Name{Host: host, Package: model.PackageContainers, Key: c.ID}, c)
}

// A container's name reaches what runs in it, whenever it comes, and no other host's.
func TestWhereProcessesLive(t *testing.T) {
	w := newWorld(t)
	w.listen("web-1", "/srv/cart", "10.0.0.1", 80, inContainer)
	w.listen("web-2", "/srv/cart", "10.0.0.2", 80, inContainer)
	w.listen("web-2", "/usr/sbin/sshd", "10.0.0.2", 22, func(l *model.Listener) { l.Cgroup = "/system.slice/ssh.service" })
	w.out("web-2", "/usr/bin/curl", "10.0.0.2", "10.0.0.1", 80, n(1))

	where := func() string {
		text := ""
		for _, s := range w.Services(ServiceFilter{}) {
			text += s.ID + " in " + s.Where.Label() + "; "
			if s.Home != nil {
				t.Errorf("%s tells twice where it lives", s.ID)
			}
		}
		return text
	}
	want := "service:web-1/cart:80 in containerd 74351a15c137; service:web-2/cart:80 in containerd 74351a15c137; service:web-2/sshd:22 in ssh.service; "
	if got := where(); got != want {
		t.Errorf("before its name is known:\n got %s\nwant %s", got, want)
	}
	w.writtenAsJSON(t)
	w.container("web-1")
	w.writtenAsJSON(t)
	want = "service:web-1/cart:80 in shop/cart-7d9f:cart; service:web-2/cart:80 in containerd 74351a15c137; service:web-2/sshd:22 in ssh.service; "
	if got := where(); got != want {
		t.Errorf("with its name:\n got %s\nwant %s", got, want)
	}
	if list, _ := w.Dependencies(DependencyFilter{}); len(list) != 1 || list[0].Server.Where.Label() != "shop/cart-7d9f:cart" || list[0].Client.Where != nil {
		t.Errorf("dependencies: %+v", list)
	}
	for _, id := range []string{"service:web-1/cart:80", "process:web-1/srv/cart"} {
		part, ok := w.Neighbourhood(id, 0)
		if !ok {
			t.Fatalf("no node %s", id)
		}
		a := part.Nodes[0].Attrs
		got := fmt.Sprint(a["container"], a["image"], a["namespace"], a["pod"], a["pod_container"], a["pod_uid"], a["pod_qos"], a["runtime"], a["slice"], a["container_id"])
		if want := fmt.Sprint("cart", "shop/cart:1.2", "shop", "cart-7d9f", "cart", "u1", "burstable", "containerd", "kubepods.slice", containerID); got != want {
			t.Errorf("%s: got %s, want %s", id, got, want)
		}
	}
	if found := w.Nodes(NodeFilter{Text: "cart-7d9f"}); len(found) != 2 {
		t.Errorf("found by its pod: %d nodes", len(found))
	}
}

func TestContainerIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.Graph = New(Limits{Sightings: 10})
	w.container("web-1")
	w.put(model.Name{Host: "web-1", Package: model.PackageContainers, Key: containerID}, nil)
	if len(w.containers) != 0 {
		t.Errorf("%d kept", len(w.containers))
	}
	for i := range 100 {
		w.container("web-1", func(c *model.Container) { c.ID = fmt.Sprint(i) })
	}
	if len(w.containers) > 10 || w.containers[model.Name{Host: "web-1", Package: model.PackageContainers, Key: "99"}] == nil {
		t.Errorf("%d kept of 10, or not the newest", len(w.containers))
	}
	w.put(model.Name{Host: "web-1", Package: model.PackageContainers, Key: "1"}, model.Container{ID: "2"})
	if got := w.Stats().Rejected[model.PackageContainers]; got != 1 {
		t.Errorf("one that is not what its name says: %d rejected", got)
	}
}
