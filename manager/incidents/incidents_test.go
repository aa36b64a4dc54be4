package incidents

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

var begin = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

// script writes verdicts in short: "3 web-1 host-crashed db-1@z1" is what web-1 says after
// three seconds; words behind it are key=value.
func script(t *testing.T, b *Book, text string) {
	t.Helper()
	sequence := make(map[string]uint64)
	for line := range strings.Lines(strings.TrimSpace(text)) {
		words := strings.Fields(line)
		var after float64
		if _, err := fmt.Sscan(words[0], &after); err != nil {
			t.Fatal(err)
		}
		reporter, kind := words[1], words[2]
		host, zone, _ := strings.Cut(words[3], "@")
		sequence[reporter]++
		v := model.Verdict{
			ID: model.ReportID{Reporter: reporter, Incarnation: 1, Sequence: sequence[reporter]}, Kind: model.VerdictKind(kind), At: begin.Add(time.Duration(after * float64(time.Second))),
			Subject: model.RingMember{Host: host, Zone: zone, Incarnation: 1},
		}
		for _, word := range words[4:] {
			key, value, _ := strings.Cut(word, "=")
			switch key {
			case "clue":
				v.Evidence.Clue = value
			case "corrects": // "b/1"
				from, number, _ := strings.Cut(value, "/")
				v.Corrects = &model.ReportID{Reporter: from, Incarnation: 1}
				if _, err := fmt.Sscan(number, &v.Corrects.Sequence); err != nil {
					t.Fatal(err)
				}
			case "was":
				v.Was = model.VerdictKind(value)
			case "became":
				v.Became = model.VerdictKind(value)
			case "at":
				made, _ := time.ParseDuration(value + "s")
				v.At = begin.Add(made)
			case "silent":
				v.Evidence.Silent, _ = time.ParseDuration(value)
			case "of":
				for _, o := range strings.Split(value, ",") {
					v.Evidence.Observations = append(v.Evidence.Observations, model.Observation{Observer: o, Sight: model.SightNothing})
				}
			}
		}
		b.Apply(v, begin.Add(time.Duration(after*float64(time.Second))))
	}
}

// told is one line for each incident.
func told(b *Book) string {
	var lines []string
	for _, i := range b.All() {
		lines = append(lines, fmt.Sprintf("%s %s %s: %d reports", i.State, i.Kind, strings.Join(i.Subjects, ","), len(i.Reports)))
	}
	return strings.Join(lines, "\n")
}

func TestIncidents(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"two reports of one death": {"3 a host-crashed x@z\n3.1 b host-crashed x@z", "open host-crashed x: 2 reports"},
		"adjacent deaths are one":  {"3 a host-crashed x@z\n5 b host-crashed y@z", "open host-crashed x,y: 2 reports"},
		"of other zones are two":   {"3 a host-crashed x@z\n5 b host-crashed y@w", "open host-crashed x: 1 reports\nopen host-crashed y: 1 reports"},
		"later ones are two":       {"3 a host-crashed x@z\n25 b host-crashed y@z", "open host-crashed x: 1 reports\nopen host-crashed y: 1 reports"},
		"back with another life":   {"3 a host-crashed x@z\n60 m corrected x@z clue=restarted", "closed host-crashed x: 2 reports"},
		"the same life goes on":    {"3 a host-crashed x@z\n60 m corrected x@z clue=heartbeat", "corrected host-crashed x: 2 reports"},
		"one of two is back":       {"3 a host-crashed x@z\n4 b host-crashed y@z\n60 m corrected x@z clue=restarted", "open host-crashed x,y: 3 reports"},
		"hung, then dead":          {"3 a process-hung x@z\n20 a host-crashed x@z", "open host-crashed x: 2 reports"},
		"one of two was unobservable before": {
			"3 a unobservable x@z\n4 b host-crashed y@z\n5 b host-crashed x@z\n6 a corrected x@z clue=unlinked corrects=a/1",
			"merged unobservable x: 2 reports\nopen host-crashed y,x: 3 reports",
		},
		"one of several that were unobservable is dead": {
			"3 a unobservable x@z\n4 b unobservable y@z\n20 b host-crashed x@z\n80 a corrected y@z clue=answer\n90 a corrected x@z clue=restarted",
			"closed unobservable x,y: 4 reports\nclosed host-crashed x: 2 reports",
		},
		"all that were unobservable are dead, one after the other": {
			"3 a unobservable x@z\n4 b unobservable y@z\n20 b host-crashed x@z\n22 b host-crashed y@z",
			"merged unobservable x,y: 4 reports\nopen host-crashed x,y: 2 reports",
		},
		"one of several that hang is dead long after": {
			"3 a process-hung x@z\n4 b process-hung y@z\n99 b host-crashed y@z\n120 b host-crashed x@z",
			"merged process-hung x,y: 4 reports\nopen host-crashed y: 1 reports\nopen host-crashed x: 1 reports",
		},
		"crashed is not made less": {"3 a host-crashed x@z\n4 b unobservable x@z", "open host-crashed x: 2 reports"},
		"it says itself that it was cut off": {
			"3 a host-crashed x@z\n60 x link-down x@z clue=reunited silent=57s", "closed link-down x: 2 reports",
		},
		"a segment takes its deaths along": {
			"3 a host-crashed x@z\n4 m segment-lost z@z of=x,y\n4 m corrected x@z clue=segment became=segment-lost\n5 b host-crashed y@z",
			"merged host-crashed x: 1 reports\nopen segment-lost z: 2 reports",
		},
		"a segment comes back": {"4 m segment-lost z@z of=x,y\n60 m corrected z@z clue=answer", "closed segment-lost z: 2 reports"},
		"a zone that is cut off sees the others silent": {
			"4 m segment-lost z@z of=x,y\n20 x unobservable v@w\n21 y unobservable u@w\n60 m corrected z@z clue=answer\n61 x corrected v@w clue=answer corrects=x/1",
			"closed segment-lost z: 5 reports",
		},
		"what a zone that was cut off saw comes late": {
			"4 m segment-lost z@z of=x,y\n60 m corrected z@z clue=answer\n61 x unobservable v@w at=20\n62 x manager-unreachable (manager) silent=50s at=60", "closed segment-lost z: 4 reports",
		},
		"a host died beside it, as only the zone that was cut off saw": {
			"4 m segment-lost z@z of=x,y\n60 m corrected z@z clue=answer\n61 x host-crashed v@w at=20", "closed segment-lost z: 2 reports\nopen host-crashed v: 1 reports",
		},
		"a host dies as seen from a zone that has just come back": {
			"4 m segment-lost z@z of=x,y\n60 m corrected z@z clue=answer\n70 x host-crashed v@w", "closed segment-lost z: 2 reports\nopen host-crashed v: 1 reports",
		},
		"a host of a zone that came back says that it was cut off": {
			"4 m segment-lost z@z of=x,y\n60 m corrected z@z clue=answer\n61 x link-down x@z clue=reunited silent=57s", "closed segment-lost z: 3 reports",
		},
		"two segments are a partition": {
			"4 m segment-lost z@z of=x\n6 m segment-lost w@w of=y\n60 m corrected z@z clue=answer", "open partition z,w: 3 reports",
		},
		"a host of a partition": {
			"4 m segment-lost z@z of=x\n6 m segment-lost w@w of=y\n7 a host-crashed y@w", "open partition z,w: 3 reports",
		},
		"a zone that says itself that it was cut off": {
			"60 x link-down x@z clue=reunited silent=50s\n61 y link-down y@z clue=reunited silent=50s", "closed segment-lost x,y: 2 reports",
		},
		"the manager was away": {
			"60 x manager-unreachable (manager) silent=50s\n62 y manager-unreachable (manager) silent=52s", "closed manager-unreachable x,y: 2 reports",
		},
		"a correction comes before what it corrects": {"3 a corrected x@z clue=heartbeat corrects=b/1\n4 b host-crashed x@z", ""},
		"a correction of one comes before what another says": {
			"3 a host-crashed x@z\n4 b corrected x@z clue=answer corrects=c/1\n5 c host-crashed x@z", "corrected host-crashed x: 2 reports",
		},
		"away, back and away again": {
			"3 a unobservable x@z\n4 a corrected x@z clue=answer\n4 a unobservable y@z\n5 a unobservable x@z\n6 a corrected x@z clue=answer\n6 a corrected y@z clue=answer",
			"closed unobservable x: 2 reports\nclosed unobservable y,x: 4 reports",
		},
		"others hear it after all":           {"3 a unobservable x@z\n4 a link-down x@z", "open link-down x: 2 reports"},
		"a link that is none any more":       {"3 a link-down x@z\n4 a corrected x@z clue=unlinked", "closed link-down x: 2 reports"},
		"watched no more is no sign of life": {"3 a unobservable x@z\n4 a corrected x@z clue=unlinked", "open unobservable x: 2 reports"},
		"it hears nobody, and says so when it is back": {
			"3 (manager) host-deaf x@z\n60 x link-down x@z clue=reunited silent=57s", "closed host-deaf x: 2 reports",
		},
		"what others say of the deaf is nothing": {
			"3 (manager) host-deaf x@z\n4 a host-crashed x@z\n5 a corrected x@z was=host-crashed\n6 b process-hung x@z", "open host-deaf x: 4 reports",
		},
		"who else says that it is deaf": {"3 a host-deaf x@z", ""},
		"the manager tells that a deaf host answers": {
			"3 (manager) host-deaf x@z\n60 (manager) corrected x@z was=host-deaf clue=answer", "closed host-deaf x: 2 reports",
		},
		"the manager tells it first, and the host says so too": {
			"3 (manager) host-deaf x@z\n60 (manager) corrected x@z was=host-deaf clue=answer\n61 x link-down x@z clue=reunited silent=57s", "closed host-deaf x: 3 reports",
		},
		"the manager could not be reached either": {
			"60 x manager-unreachable (manager)@z silent=50s\n61 x link-down x@z clue=reunited silent=57s",
			"closed manager-unreachable x: 1 reports\nclosed link-down x: 1 reports",
		},
		"later it was cut off again": {
			"3 (manager) host-deaf x@z\n60 (manager) corrected x@z was=host-deaf clue=answer\n90 x link-down x@z clue=reunited silent=20s",
			"closed host-deaf x: 2 reports\nclosed link-down x: 1 reports",
		},
		"a deaf host falls silent": {
			"3 (manager) host-deaf x@z\n200 (manager) unobservable x@z\n206 a host-crashed x@z", "open host-crashed x: 3 reports",
		},
		"who was taken for dead is deaf": {"3 a host-crashed x@z\n9 (manager) host-deaf x@z corrects=a/1", "open host-deaf x: 2 reports"},
		"one of those taken for dead is deaf": {
			"3 a host-crashed x@z\n4 a host-crashed y@z\n9 (manager) host-deaf x@z corrects=a/1", "open host-crashed x,y: 2 reports\nopen host-deaf x: 1 reports",
		},
		"all that were taken for dead are deaf": {
			"3 a host-crashed x@z\n4 a host-crashed y@z\n9 (manager) host-deaf x@z corrects=a/1\n9 (manager) host-deaf y@z corrects=a/2",
			"closed host-crashed x,y: 2 reports\nopen host-deaf x,y: 2 reports",
		},
		"a correction of nothing": {"3 a corrected x@z clue=heartbeat", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var b Book
			script(t, &b, c.script)
			if got := told(&b); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestStatus(t *testing.T) {
	var b Book
	script(t, &b, "3 a host-crashed x@z")
	if s, ok := b.Status("x"); !ok || s.Kind != model.VerdictCrashed || s.Since != begin.Add(3*time.Second) {
		t.Errorf("got %+v, %v", s, ok)
	}
	script(t, &b, "9 b corrected x@z clue=restarted")
	if s, ok := b.Status("x"); ok {
		t.Errorf("got %+v after its return", s)
	}
}

// What a host is because its zone was lost ends with that, but not what else is said of it.
func TestStatusInALostZone(t *testing.T) {
	var b Book
	script(t, &b, "4 m segment-lost z@z of=x,y\n4 m segment-lost w@w of=v")
	for _, host := range []string{"x", "y", "v"} {
		if s, _ := b.Status(host); s.Kind != model.VerdictSegment {
			t.Errorf("%s is %q", host, s.Kind)
		}
	}
	script(t, &b, "59 y link-down y@z clue=reunited\n60 n corrected z@z clue=answer was=segment-lost\n61 a process-hung y@z")
	for host, want := range map[string]model.VerdictKind{"x": "", "y": model.VerdictHung, "v": model.VerdictSegment} {
		if s, _ := b.Status(host); s.Kind != want {
			t.Errorf("after the return of its zone %s is %q, want %q", host, s.Kind, want)
		}
	}
}

// TestAnything: whatever comes, nothing panics, nothing grows without bound, and the same
// comes out of the same.
func TestAnything(t *testing.T) {
	kinds := []model.VerdictKind{
		model.VerdictCrashed, model.VerdictHung, model.VerdictCorrected, model.VerdictSegment, model.VerdictLink, model.VerdictManager, model.VerdictUnobservable, "", "no-kind",
	}
	tell := func(seed uint64) string {
		random := rand.New(rand.NewPCG(seed, 0))
		b := Book{Limit: 50}
		at := begin
		for n := range 2000 {
			at = at.Add(time.Duration(random.IntN(9000)-1000) * time.Millisecond)
			host := fmt.Sprintf("h%d", random.IntN(12))
			v := model.Verdict{
				ID: model.ReportID{Reporter: fmt.Sprintf("h%d", random.IntN(12)), Incarnation: 1, Sequence: uint64(n - random.IntN(3))}, Kind: kinds[random.IntN(len(kinds))],
				Subject: model.RingMember{Host: host, Zone: []string{"", "z", "w"}[random.IntN(3)]},
			}
			v.Evidence.Clue = []string{"", "reunited", "restarted", "heartbeat"}[random.IntN(4)]
			if random.IntN(3) == 0 {
				v.Corrects = &model.ReportID{Reporter: host, Incarnation: 1, Sequence: uint64(random.IntN(n + 1))}
				v.Became = []model.VerdictKind{"", model.VerdictSegment}[random.IntN(2)]
			}
			b.Apply(v, at)
			if len(b.list) > 51 || len(b.seen) > 52*40 {
				t.Fatalf("%d incidents, %d reports", len(b.list), len(b.seen))
			}
			for subject, i := range b.open {
				if i.State != model.IncidentOpen {
					t.Fatalf("%s is open in an incident that is %s: %+v", subject, i.State, i)
				}
			}
		}
		return told(&b)
	}
	for seed := range uint64(30) {
		first, again := tell(seed), tell(seed)
		if first != again {
			t.Fatalf("seed %d gives other incidents each time", seed)
		}
	}
}

// TestForgets leaves nothing of an incident that goes, be it over or open.
func TestForgets(t *testing.T) {
	b := Book{Limit: 4}
	at := begin
	for n := range 60 {
		at = at.Add(time.Minute)
		host := fmt.Sprintf("h%d", n)
		for report := range maxReports + 3 {
			b.Apply(model.Verdict{
				ID: model.ReportID{Reporter: "m", Incarnation: 1, Sequence: uint64(n*100 + report)}, Kind: model.VerdictHung, Subject: model.RingMember{Host: host},
			}, at)
		}
		if n%3 == 0 {
			b.Apply(model.Verdict{ID: model.ReportID{Reporter: host, Incarnation: 1, Sequence: 1}, Kind: model.VerdictCorrected, Subject: model.RingMember{Host: host}}, at)
		}
		for _, service := range []string{"a", "b"} {
			b.Find(Finding{Kind: model.IncidentServiceGone, Subject: "service:" + host + "/" + service, Group: host, Window: time.Minute, What: "gone"}, at)
		}
		if n%4 == 0 {
			b.Over(model.IncidentServiceGone, "service:"+host+"/a", at)
		}
	}
	if len(b.list) != 4 || len(b.traces) != 4 || len(b.seen) == 0 || len(b.open) == 0 || len(b.groups) == 0 {
		t.Errorf("%d incidents, %d traces, %d reports, %d open, %d groups", len(b.list), len(b.traces), len(b.seen), len(b.open), len(b.groups))
	}
	kept := func(what string, i *model.Incident) {
		if !slices.Contains(b.list, i) {
			t.Errorf("%s leads to %s, which is forgotten", what, i.ID)
		}
	}
	for id, i := range b.seen {
		kept(fmt.Sprint(id), i)
	}
	for subject, i := range b.open {
		kept(subject, i)
	}
	for group, i := range b.groups {
		kept(group, i)
	}
}
