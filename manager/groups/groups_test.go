package groups

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

var t0 = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func service(host, name string, edit ...func(*Thing)) Thing {
	t := Thing{ID: "service:" + host + "/" + name, Kind: model.KindService, Host: host, Groups: []string{name}, State: model.StateListening, Alive: true, Births: 1, Since: t0}
	for _, f := range edit {
		f(&t)
	}
	return t
}

func ended(t *Thing) { t.State, t.Alive, t.Deaths = model.StateEnded, false, t.Births }

func down(t *Thing) { t.Down = true }

func TestStates(t *testing.T) {
	up := service("a", "web")
	for name, c := range map[string]struct {
		before, now []Thing
		want        string
	}{
		"up":                    {[]Thing{up}, []Thing{up}, model.GroupUp},
		"came":                  {nil, []Thing{up}, model.GroupUp},
		"ended":                 {[]Thing{up}, []Thing{service("a", "web", ended)}, model.GroupEnded},
		"one of two ended":      {[]Thing{up, service("b", "web")}, []Thing{up, service("b", "web", ended)}, model.GroupDegraded},
		"one of two forgotten":  {[]Thing{up, service("b", "web")}, []Thing{up}, model.GroupDegraded},
		"ended before":          {[]Thing{up, service("b", "web", ended)}, []Thing{up, service("b", "web", ended)}, model.GroupUp},
		"moved to another host": {[]Thing{up}, []Thing{service("a", "web", ended), service("b", "web")}, model.GroupUp},
		"its host is down":      {[]Thing{up}, []Thing{service("a", "web", down)}, model.GroupDown},
		"one host of two":       {nil, []Thing{up, service("b", "web", down)}, model.GroupDegraded},
		"no agent":              {nil, []Thing{{ID: "service:10.0.0.9:25", Kind: model.KindService, Groups: []string{"web"}, State: "absent"}}, model.GroupUnknown},
		"flapping":              {[]Thing{up}, []Thing{service("a", "web", func(t *Thing) { t.Flapping = true })}, model.GroupFlapping},
	} {
		list := Fold("executable", Facts{Things: c.before}, Facts{Things: c.now}, t0)
		if len(list) != 1 || list[0].State != c.want {
			t.Errorf("%s: %+v, want %s", name, list, c.want)
		}
	}
}

func TestBirthsAndAge(t *testing.T) {
	lived := func(births, deaths uint64, since time.Time) func(*Thing) {
		return func(t *Thing) { t.Births, t.Deaths, t.Since = births, deaths, since }
	}
	before := Facts{Things: []Thing{service("a", "web", lived(5, 4, t0)), service("c", "web", lived(9, 9, t0))}}
	now := Facts{Things: []Thing{
		service("a", "web", lived(8, 7, t0.Add(time.Hour))), service("b", "web", lived(2, 1, t0.Add(2*time.Hour))),
		service("c", "web", lived(1, 0, t0.Add(3*time.Hour))), // forgotten and known anew
		service("d", "web", ended, lived(0, 1, t0)),
	}}
	g := Fold("executable", before, now, t0)[0]
	if g.Births != 3+2+1 || g.Deaths != 3+1+0+1 {
		t.Errorf("%d births and %d deaths", g.Births, g.Deaths)
	}
	if !g.Oldest.Equal(t0.Add(time.Hour)) || !g.Newest.Equal(t0.Add(3*time.Hour)) || g.Services != 3 || g.Ended != 1 || g.Hosts != 4 {
		t.Errorf("%+v", g)
	}
}

func TestLinks(t *testing.T) {
	now := Facts{
		Things: []Thing{
			{ID: "process:a/nginx", Kind: model.KindProcess, Host: "a", Groups: []string{"nginx"}, Alive: true}, service("a", "nginx"),
			service("b", "app"), service("c", "app"), {ID: "unknown-host:x", Kind: model.KindUnknownHost, Groups: []string{""}, Alive: true},
		},
		Links: []Link{
			{0, 2, model.GroupFigures{Connections: 10, Failed: 1, BytesSent: 100}}, {0, 3, model.GroupFigures{Connections: 5, Open: 2}},
			{4, 1, model.GroupFigures{Connections: 7}}, {0, 1, model.GroupFigures{Connections: 1}},
		},
	}
	g, ok := One("executable", "nginx", Facts{}, now, t0, 1)
	if !ok || g.Dialled != (model.GroupFigures{Connections: 16, Failed: 1, Open: 2, BytesSent: 100}) || g.Served.Connections != 8 || g.Clients != 1 {
		t.Errorf("%+v", g)
	}
	if fmt.Sprint(g.DependsOn) != "[{app {15 1 2 100 0}} {nginx {1 0 0 0 0}}]" || fmt.Sprint(g.UsedBy) != "[{ {7 0 0 0 0}} {nginx {1 0 0 0 0}}]" {
		t.Errorf("depends on %v, used by %v", g.DependsOn, g.UsedBy)
	}
	if len(g.Members) != 1 || g.MemberCount != 2 || g.Members[0].ID != "process:a/nginx" || g.Members[0].Dialled.Connections != 16 {
		t.Errorf("members %+v of %d", g.Members, g.MemberCount)
	}
	if _, ok := One("executable", "other", Facts{}, now, t0, 1); ok {
		t.Error("there is a group of nothing")
	}
}

// A host on two subnets that talks to another on one of them does so there.
func TestLinksOfManyGroups(t *testing.T) {
	thing := func(id string, names ...string) Thing {
		return Thing{ID: id, Kind: model.KindProcess, Host: id, Groups: names, Alive: true}
	}
	now := Facts{
		Things: []Thing{thing("a", "x", "y"), thing("b", "x"), thing("c", "z")},
		Links:  []Link{{0, 1, model.GroupFigures{Connections: 1}}, {0, 2, model.GroupFigures{Connections: 10}}, {1, 0, model.GroupFigures{Connections: 100}}},
	}
	got := ""
	for _, g := range Fold("subnet", Facts{}, now, t0) {
		got += fmt.Sprintf("%s served %d dialled %d clients %d", g.Name, g.Served.Connections, g.Dialled.Connections, g.Clients)
		for _, l := range g.DependsOn {
			got += fmt.Sprintf(" %s:%d", l.Group, l.Connections)
		}
		got += "; "
	}
	want := "x served 101 dialled 111 clients 0 x:101 z:10; y served 100 dialled 11 clients 1 z:10; z served 10 dialled 0 clients 1; "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestSort(t *testing.T) {
	list := []model.FunctionalGroup{
		{Name: "", State: model.GroupUp, Hosts: 9, Served: model.GroupFigures{Connections: 1}},
		{Name: "b", State: model.GroupUp, Services: 7, Births: 1, Dialled: model.GroupFigures{Connections: 9, Failed: 1}, Oldest: t0.Add(1), Newest: t0.Add(9)},
		{Name: "a", State: model.GroupDown, Programs: 5, Deaths: 3, Clients: 1, Oldest: t0, Newest: t0, Served: model.GroupFigures{BytesReceived: 5}},
		{Name: "c", State: model.GroupDegraded, Served: model.GroupFigures{Connections: 20}},
	}
	for by, want := range map[string]string{
		SortState: "acb", SortName: "abc", SortHosts: "cba", SortServices: "bca", SortPrograms: "acb", SortBorn: "bca", SortDied: "acb", SortOldest: "abc",
		SortNewest: "bac", SortClients: "acb", SortServed: "cba", SortDialled: "bca", SortFailed: "bca", SortBytes: "acb",
	} {
		Sort(list, by)
		got := ""
		for _, g := range list {
			got += g.Name
		}
		if got != want {
			t.Errorf("by %s: %s, want %s", by, got, want)
		}
		if by == SortName && list[3].Name != "" {
			t.Error("things without a name must come last")
		}
	}
	if len(Sorts()) != 14 {
		t.Errorf("%d orders, and the test has 14", len(Sorts()))
	}
}

func TestFind(t *testing.T) {
	now := Facts{Things: []Thing{{Groups: []string{"/usr/bin/redis"}}, {Groups: []string{"/usr/bin/redis-cli"}}, {Groups: []string{"/opt/x/nginx"}}, {Groups: []string{""}}}}
	for text, want := range map[string]string{
		"/usr/bin/redis": "/usr/bin/redis", "redis": "/usr/bin/redis", "NGI": "/opt/x/nginx", NoName: "", "": "", "usr": "?", "zzz": "?",
	} {
		got, ok := Find(text, now)
		if !ok {
			got = "?"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if _, ok := Find("", Facts{}); ok {
		t.Error("there is nothing without a name")
	}
	if got := Unknown("unit", "BIN", now); !strings.Contains(got, `no group "BIN" by unit; did you mean /usr/bin/redis, /usr/bin/redis-cli?`) {
		t.Error(got)
	}
}

// TestSums holds groups of random estates against sums over single things.
func TestSums(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 7))
		names := []string{"", "a", "b", "c"}
		var before, now Facts
		for i := range 2 + r.IntN(40) {
			th := Thing{ID: fmt.Sprint("t", i), Kind: []string{model.KindService, model.KindProcess, model.KindHost}[r.IntN(3)], Host: fmt.Sprint("h", r.IntN(5)), Alive: r.IntN(3) > 0, Births: r.Uint64N(9), Deaths: r.Uint64N(9)}
			for _, n := range names {
				if r.IntN(3) == 0 {
					th.Groups = append(th.Groups, n)
				}
			}
			if r.IntN(2) == 0 {
				was := th
				was.Births = r.Uint64N(th.Births + 1)
				before.Things = append(before.Things, was)
			}
			now.Things = append(now.Things, th)
		}
		for range r.IntN(100) {
			now.Links = append(now.Links, Link{r.IntN(len(now.Things)), r.IntN(len(now.Things)), model.GroupFigures{Connections: r.Uint64N(100), Failed: r.Uint64N(3)}})
		}
		for _, g := range Fold("x", before, now, t0) {
			var served, dialled, births uint64
			clients, members := map[int]bool{}, 0
			for _, l := range now.Links {
				from, to := slices.Contains(now.Things[l.From].Groups, g.Name), slices.Contains(now.Things[l.To].Groups, g.Name)
				if to {
					served += l.Connections
				}
				if from {
					dialled += l.Connections
				}
				if to && !from {
					clients[l.From] = true
				}
			}
			for _, th := range now.Things {
				if !slices.Contains(th.Groups, g.Name) {
					continue
				}
				members++
				births += th.Births
				for _, was := range before.Things {
					if was.ID == th.ID {
						births -= was.Births
					}
				}
			}
			if g.Served.Connections != served || g.Dialled.Connections != dialled || g.Clients != len(clients) || g.MemberCount != members || g.Births != births {
				t.Fatalf("seed %d: %+v, want served %d, dialled %d, clients %d, members %d, births %d", seed, g, served, dialled, len(clients), members, births)
			}
			one, ok := One("x", g.Name, before, now, t0, 1000)
			if !ok || len(one.Members) != members || one.State != g.State || one.Births != births {
				t.Fatalf("seed %d: alone %+v", seed, one)
			}
			if down := slices.IndexFunc(one.UsedBy, func(l model.GroupLink) bool { return l.Connections > served }); down >= 0 {
				t.Fatalf("seed %d: used more than served", seed)
			}
		}
	}
}

func TestRows(t *testing.T) {
	columns, rows := Rows([]model.FunctionalGroup{{State: model.GroupUp, DependsOn: []model.GroupLink{{Group: "x"}, {}}, Newest: t0}})
	if len(rows) != 1 || len(rows[0]) != len(columns) || rows[0][0] != NoName || rows[0][len(columns)-1] != "x (none)" || rows[0][10] != "2026-11-20T12:00:00Z" || rows[0][9] != "" {
		t.Errorf("%q %q", columns, rows)
	}
	columns, rows = MemberRows(model.FunctionalGroup{Members: []model.GroupMember{{ID: "service:x", Births: 3}}})
	if len(rows) != 1 || len(rows[0]) != len(columns) || rows[0][5] != "3" {
		t.Errorf("%q %q", columns, rows)
	}
}
