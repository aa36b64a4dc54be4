package model

import "testing"

func TestWhere(t *testing.T) {
	const id = "74351a15c137113a0adf2994b06ce11716d0199232231cd94b7d9bd19ada6c47"
	in := func(h Home) Process { return Process{Home: &h} }
	for _, c := range []struct {
		process   Process
		container *Container
		want      string
	}{
		{Process{}, nil, ""},
		{Process{Cgroup: "/system.slice/ssh.service"}, nil, "ssh.service"}, // of an agent that tells no more
		{in(Home{SystemdUnit: "ssh.service"}), nil, "ssh.service"},
		{in(Home{Scope: "run-r1.scope", Slice: "system.slice"}), nil, "run-r1.scope"},
		{in(Home{Session: "3", LoginUID: "1000", SystemdUnit: ""}), nil, "session 3"},
		{in(Home{ContainerID: id, Runtime: RuntimeDocker}), nil, "docker 74351a15c137"},
		{in(Home{ContainerID: id}), nil, "container 74351a15c137"},
		{in(Home{ContainerID: id, SystemdUnit: "web.service"}), &Container{Name: "web"}, "web"},
		{in(Home{ContainerID: "web", Runtime: RuntimeLXC, SystemdUnit: "nginx.service"}), nil, "web"},
		{in(Home{PodUID: "u"}), nil, "pod u"},
		{in(Home{ContainerID: id, PodUID: "u"}), &Container{Name: "k8s_x", PodName: "cart-7d9f", PodNamespace: "shop", PodContainer: "cart"}, "shop/cart-7d9f:cart"},
		{in(Home{ContainerID: id, PodUID: "u"}), &Container{PodName: "cart-7d9f"}, "cart-7d9f"},
	} {
		if got := NewWhere(c.process, c.container).Label(); got != c.want {
			t.Errorf("%+v: got %q, want %q", c, got, c.want)
		}
	}
	if NewWhere(Process{}, nil) != nil {
		t.Error("nothing known is something")
	}
}
