package graph

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

const dbSocket = "/run/postgresql/.s.PGSQL.5432"

func (w *world) listenUnix(host, exe, path string, edit ...func(*model.Listener)) []model.Event {
	w.t.Helper()
	l := model.Listener{Proto: model.ProtoUnix, Process: proc(exe, 77), State: model.StateListening, Since: w.now, Sockets: 1}
	l.Path, l.SocketType = path, model.UnixStream
	for _, f := range edit {
		f(&l)
	}
	return w.put(model.Name{Host: host, Package: model.PackageListeners, Key: l.Key()}, l)
}

func (w *world) dialUnix(host, exe, path string, c model.Counters, edit ...func(*model.Dependency)) []model.Event {
	w.t.Helper()
	d := model.Dependency{Direction: model.Out, Proto: model.ProtoUnix, Process: proc(exe, 4000), Counters: c, FirstSeen: w.now, LastSeen: w.now, CountingSince: t0}
	d.Path, d.SocketType = path, model.UnixStream
	for _, f := range edit {
		f(&d)
	}
	return w.putDep(host, d)
}

func TestUnixJoin(t *testing.T) {
	w := newWorld(t)
	equal(t, "events", kinds(w.dialUnix("db", "/usr/bin/psql", dbSocket, model.Counters{Failed: 2, Unreachable: 2})),
		[]string{model.EventHostSeen, model.EventDependencyNew, model.EventDependencyFail})
	w.expect("process:db/usr/bin/psql -> service:db/unix:" + dbSocket + " 0/2 [client]")
	got := w.listenUnix("db", "/usr/lib/postgresql/15/bin/postgres", dbSocket)
	equal(t, "summaries", summaries(got), []string{"service.started: postgres on " + dbSocket + " of db listens (pid 77)"})
	w.expect("process:db/usr/bin/psql -> service:db/postgres/unix:" + dbSocket + " 0/2 [client]")
	w.dialUnix("web", "/usr/bin/psql", dbSocket, n(1)) // another machine's path is another file
	w.expect("process:db/usr/bin/psql -> service:db/postgres/unix:"+dbSocket+" 0/2 [client]", "process:web/usr/bin/psql -> service:web/unix:"+dbSocket+" 1/0 [client]")
}

// The same path in a container is another service.
func TestUnixSpaces(t *testing.T) {
	w := newWorld(t)
	w.listenUnix("db", "/postgres", dbSocket)
	w.listenUnix("db", "/postgres", dbSocket, func(l *model.Listener) { l.MntnsName = "mnt:[42]" })
	w.listenUnix("db", "/bus", "@bus", func(l *model.Listener) { l.NetnsName = "blue" })
	w.dialUnix("db", "/psql", dbSocket, n(1))
	w.dialUnix("db", "/app", dbSocket, n(2), func(d *model.Dependency) { d.MntnsName = "mnt:[42]" })
	w.dialUnix("db", "/app", "@bus", n(3))
	w.dialUnix("db", "/app", "@bus", n(4), func(d *model.Dependency) { d.NetnsName = "blue" })
	w.expect(
		"process:db/app -> service:db/bus/unix:@bus@blue 4/0 [client]",
		"process:db/app -> service:db/postgres/unix:"+dbSocket+"@mnt:[42] 2/0 [client]",
		"process:db/app -> service:db/unix:@bus 3/0 [client]",
		"process:db/psql -> service:db/postgres/unix:"+dbSocket+" 1/0 [client]",
	)
}

func TestUnixServiceEndsAndReturns(t *testing.T) {
	w := newWorld(t)
	w.listenUnix("db", "/postgres", dbSocket)
	w.dialUnix("db", "/psql", dbSocket, n(1))
	w.now = w.now.Add(time.Minute)
	got := w.listenUnix("db", "/postgres", dbSocket, func(l *model.Listener) { l.State, l.Ended = model.StateEnded, &w.now })
	equal(t, "ended", kinds(got), []string{model.EventServiceEnded})
	w.expect("process:db/psql -> service:db/postgres/unix:" + dbSocket + " 1/0 [client]")
	s := w.one()
	if s.State != model.StateEnded || s.Path != dbSocket || s.Port != 0 || s.Addr.IsValid() || len(s.Addrs) != 0 {
		t.Errorf("service is %+v", s)
	}
	w.listenUnix("db", "/pgbouncer", dbSocket) // another program has taken the path
	w.expect("process:db/psql -> service:db/pgbouncer/unix:" + dbSocket + " 1/0 [client]")
}

// Readers of the graph see a path, and no address that is none.
func TestUnixAttributes(t *testing.T) {
	w := newWorld(t)
	w.listenUnix("db", "/postgres", dbSocket)
	w.dialUnix("db", "/psql", dbSocket, n(1))
	w.dialUnix("db", "/psql", "/run/absent", model.Counters{Failed: 1})
	raw, err := json.Marshal(w.Graph.Graph(GraphFilter{}))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, want := range []string{`"path":"` + dbSocket + `"`, `"path":"/run/absent"`, `"socket_type":"stream"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in %s", want, text)
		}
	}
	for _, no := range []string{`"addr":""`, `"port":0`, "invalid", "endpoint:"} {
		if strings.Contains(text, no) {
			t.Errorf("%s in %s", no, text)
		}
	}
}

// What a document says that cannot be is counted, and changes nothing.
func TestUnixRefused(t *testing.T) {
	w := newWorld(t)
	w.listenUnix("db", "/postgres", "")
	w.dialUnix("db", "/psql", "", n(1))
	w.dialUnix("db", "/psql", dbSocket, n(1), func(d *model.Dependency) { d.Direction = model.In })
	if s := w.Services(ServiceFilter{}); len(s) != 0 {
		t.Errorf("services %+v", s)
	}
	w.expect()
	if got := w.Stats().Rejected; got[model.PackageListeners] != 1 || got[model.PackageDependencies] != 2 {
		t.Errorf("rejected %v", got)
	}
}
