package view

import (
	"testing"

	"cassini/model"
)

// Where processes live has columns when any row has something there; the texts come from
// users of the machine.
func TestWhere(t *testing.T) {
	pod := &model.Where{Namespace: "shop", Pod: "cart-7d9f", PodContainer: "cart", Container: "cart", Image: "docker.io/library/redis:7"}
	unit := &model.Where{Unit: "cron.service", Slice: "system.slice"}
	services := []model.Service{
		{ID: "service:web-17/redis:6379", Proto: "tcp", Addr: addr("10.0.0.1"), Port: 6379, State: model.StateListening, Since: now, Where: pod, Process: model.Process{PID: 1, Exe: "/bin/redis", UID: "redis"}},
		{ID: "service:web-17/sshd:22", Proto: "tcp", Addr: addr("10.0.0.1"), Port: 22, State: model.StateListening, Since: now, Where: &model.Where{Container: "\x1b[31mevil", Image: "evil\n:1"}},
		{ID: "service:web-17/bare:1", Proto: "tcp", Addr: addr("10.0.0.1"), Port: 1, State: model.StateListening, Since: now},
	}
	deps := []model.DependencyView{
		{Client: model.Party{ID: "process:web-17/usr/bin/job@cron.service", Where: unit}, Server: model.Party{ID: "service:web-17/redis:6379", Addr: addr("10.0.0.1"), Where: pod}, Proto: "tcp", Port: 6379, LastSeen: now},
		{Client: model.Party{ID: "unknown-host:10.0.0.9"}, Server: model.Party{ID: "service:web-17/bare:1", Addr: addr("10.0.0.1")}, Proto: "tcp", Port: 1, LastSeen: now},
	}
	golden(t, "where", Services(services, now), Services(services[2:], now), Dependencies(deps, now), Dependencies(deps[1:], now))
}
