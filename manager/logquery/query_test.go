package logquery

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"time"

	"cassini/model"
)

var start = time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC)

// document is one of a host, a minute after the one before.
func document(n int, host, pkg, key, body string) *Record {
	at := start.Add(time.Duration(n) * time.Minute)
	return OfDocument(fmt.Sprintf("%s.%s.%s", at.Format("2006-01-02.15:04:05.000000"), pkg, host), at,
		model.Document{Name: model.Name{Host: host, Package: pkg, Key: key}, Time: at.Add(-time.Second), Body: json.RawMessage(body)})
}

func sample() []*Record {
	return []*Record{
		document(0, "a", "heartbeat", "", `{"rtt": 10, "samples": 1, "link": {"speed": 1000}}`),
		document(1, "a", "heartbeat", "", `{"rtt": 20, "samples": 9}`),
		document(2, "b", "heartbeat", "", `{"rtt": 1.5, "samples": 2}`),
		document(3, "b", "heartbeat", "", `{"samples": 2}`),
		document(59, "b", "listeners", "tcp/22", `{"port": 22, "exe": "/usr/sbin/sshd", "big": 9007199254740993, "cmdline": ["sshd", "-D"]}`),
		document(61, "c", "listeners", "tcp/80", `null`),
	}
}

func of(records []*Record) iter.Seq2[*Record, error] {
	return func(yield func(*Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

func run(t *testing.T, q Question, records []*Record) Answer {
	t.Helper()
	c, err := Compile(q)
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	a, err := c.Run(t.Context(), Source{Records: of(records)}, Limits{})
	if err != nil {
		t.Fatalf("%+v: %v", q, err)
	}
	return a
}

func TestAnswers(t *testing.T) {
	for name, tc := range map[string]struct {
		q    Question
		want string
	}{
		"example":       {Question{Where: `package == "heartbeat"`, GroupBy: "host", Aggregate: "avg(rtt)"}, `[["a",15],["b",1.5]]`},
		"all at once":   {Question{Where: `package == 'heartbeat'`, Aggregate: "count, count(rtt), sum(rtt), min(rtt), max(body.rtt), p50(rtt)"}, `[[4,3,31.5,1.5,20,10]]`},
		"whole sum":     {Question{Where: "has(body.big)", Aggregate: "sum(big), max(big)"}, `[[9007199254740993,9007199254740993]]`},
		"weight":        {Question{Where: `host == "a"`, Aggregate: "avg(rtt)", Weight: "samples"}, `[[19]]`},
		"of nothing":    {Question{Where: "false", Aggregate: "count, sum(rtt), avg(rtt), p99(rtt), min(rtt)"}, `[[0,null,null,null,null]]`},
		"no groups":     {Question{Where: "false", GroupBy: "host"}, `[]`},
		"columns":       {Question{Where: `package == "listeners"`, Columns: "host, exe, cmdline[0], gone"}, `[["c",null,null,true],["b","/usr/sbin/sshd","sshd",false]]`},
		"times":         {Question{Where: `received >= timestamp("2026-11-20T08:59:00Z")`, Columns: "time, received"}, `[["2026-11-20T09:00:59Z","2026-11-20T09:01:00Z"],["2026-11-20T08:58:59Z","2026-11-20T08:59:00Z"]]`},
		"buckets":       {Question{GroupBy: `bucket(received, duration("1h")), package`, Sort: "-count"}, `[["2026-11-20T08:00:00Z","heartbeat",4],["2026-11-20T08:00:00Z","listeners",1],["2026-11-20T09:00:00Z","listeners",1]]`},
		"null group":    {Question{Where: `package == "heartbeat"`, GroupBy: "link.speed"}, `[[null,3],[1000,1]]`},
		"not a field":   {Question{Where: `package == "listeners"`, Columns: `"exe", body.?exe == null`}, ``},
		"texts":         {Question{Where: `package == "listeners" && host == "b"`, Aggregate: "max(exe), min(time)"}, `[["/usr/sbin/sshd","2026-11-20T08:58:59Z"]]`},
		"percentile":    {Question{Where: `host == "a"`, Aggregate: "p99.9(rtt), p50( rtt ), p100(rtt)"}, `[[20,10,20]]`},
		"package":       {Question{Where: `package.startsWith("list") /* no */`}, ``},
		"comment":       {Question{Where: "package == \"package\" // package\n || body.package == 1", Aggregate: "count"}, `[[0]]`},
		"string":        {Question{Columns: `r"package, \" + package`, Where: `key == "tcp/22"`}, `[["package, \\listeners"]]`},
		"sorted":        {Question{GroupBy: "host", Sort: "-host"}, `[["c",1],["b",3],["a",2]]`},
		"numbers":       {Question{Where: "body.port == 22.0 && body.port < 22.5 && body.port in [22]", Aggregate: "count"}, `[[1]]`},
		"mixed extreme": {Question{Aggregate: "max(host), max(key)"}, `[["c","tcp/80"]]`},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Compile(tc.q)
			if tc.want == "" {
				if err == nil {
					t.Error("was taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = c
			got, err := json.Marshal(run(t, tc.q, sample()).Rows)
			if err != nil || string(got) != tc.want {
				t.Errorf("got %s, %v, want %s", got, err, tc.want)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	events := []*Record{
		OfEvent(model.Event{ID: "1", Kind: model.EventServiceStarted, Host: "a", Node: "service:a/x:1", Time: start, Summary: "x listens"}),
		OfEvent(model.Event{ID: "2", Kind: model.EventServiceEnded, Host: "a", Node: "service:a/x:1", Time: start.Add(time.Hour), Summary: "x ended"}),
	}
	a := run(t, Question{Events: true, Where: `kind.startsWith("service")`, Limit: 1}, events)
	if got, _ := json.Marshal(a.Rows); string(got) != `[["2026-11-20T09:00:00Z","service.ended","service:a/x:1","x ended"]]` || !a.More || a.Matched != 2 {
		t.Errorf("got %s, %+v", got, a)
	}
	a = run(t, Question{Events: true, GroupBy: "node", Aggregate: "count, max(time)"}, events)
	if got, _ := json.Marshal(a.Rows); string(got) != `[["service:a/x:1",2,"2026-11-20T09:00:00Z"]]` {
		t.Errorf("got %s", got)
	}
}

func TestMistakes(t *testing.T) {
	for name, tc := range map[string]struct {
		q    Question
		want string
	}{
		"unknown":        {Question{Where: `true && pakage == "x"`}, `where, line 1, column 9: undeclared reference to 'pakage'; is "package" meant? There are package, host, `},
		"field":          {Question{Where: `rtt > 3`}, `where, line 1, column 1: undeclared reference to 'rtt'; a field of a document is written body.rtt, a text "rtt"; there are package`},
		"equals":         {Question{Where: `host = "a"`}, `equality is ==`},
		"types":          {Question{Where: `host == 3`}, `where, line 1, column 6: found no matching overload for '_==_' applied to '(string, int)'; the types do not fit`},
		"no condition":   {Question{Where: `host`}, `where, line 1, column 1: the expression is of type string, not true or false; compare it`},
		"second line":    {Question{Where: "host == 'a' &&\n  hots == 'b'"}, `where, line 2, column 3: undeclared reference to 'hots'; is "host" meant?`},
		"unfinished":     {Question{Where: `host == "a" &&`}, `where, line 1, column 15:`},
		"second group":   {Question{GroupBy: "host, nope(1)"}, `group_by, line 1, column 11: undeclared reference to 'nope'`},
		"aggregate":      {Question{Aggregate: "count, median(rtt)"}, `aggregate, line 1, column 8: "median" is not known; there are count, sum(x)`},
		"in aggregate":   {Question{Aggregate: "avg( hots + 1 )"}, `aggregate, line 1, column 6: undeclared reference to 'hots'`},
		"percentile":     {Question{Aggregate: "p101(rtt)"}, `"p101" is no percentile`},
		"of what":        {Question{Aggregate: "avg()"}, `avg of what?`},
		"parenthesis":    {Question{Aggregate: "avg(rtt"}, `has no closing parenthesis`},
		"weight":         {Question{Aggregate: "sum(rtt)", Weight: "samples"}, `weight: there is no average to weigh`},
		"both":           {Question{GroupBy: "host", Columns: "host"}, `columns: columns are of single records`},
		"sort":           {Question{GroupBy: "host", Sort: "-avg"}, `sort, line 1, column 1: there is no column "avg"; there are host, count`},
		"sort of none":   {Question{Sort: "host"}, `sort: single records come by their time`},
		"long":           {Question{Where: strings.Repeat("(", 5000)}, `where: an expression has 5000 bytes, 4096 are allowed`},
		"deep":           {Question{Where: strings.Repeat("(", 300)}, `where, line 1`},
		"many":           {Question{GroupBy: strings.Repeat("host,", 30)}, `group_by: there are 30 expressions, 20 are allowed`},
		"field of event": {Question{Events: true, Where: "body.x == 1"}, `undeclared reference to 'body'; there are id, kind`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Compile(tc.q)
			if _, ok := errors.AsType[*Error](err); !ok || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// TestFailuresAreTold wants to hear why records were left out.
func TestFailuresAreTold(t *testing.T) {
	a := run(t, Question{Where: "body.rtt > 1", Aggregate: "count"}, sample())
	if a.Scanned != 6 || a.Matched != 3 || a.Failed != 3 || a.Failure != "where: no such key: rtt" {
		t.Errorf("got %+v", a.Stats)
	}
	a = run(t, Question{Aggregate: "avg(host)"}, sample())
	if a.Failed != 6 || a.Failure != "avg(host): of a value of type string that cannot be made" {
		t.Errorf("got %+v", a.Stats)
	}
}

func TestLimits(t *testing.T) {
	var many []*Record
	for i := range 3000 {
		many = append(many, document(i, fmt.Sprint("h", i), "p", "", `{"x": 1, "list": [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40]}`))
	}
	for name, tc := range map[string]struct {
		q    Question
		lim  Limits
		want string
	}{
		"groups": {Question{GroupBy: "host"}, Limits{Groups: 100}, "limit: there are more than 100 groups"},
		"memory": {Question{GroupBy: "host", Aggregate: "p50(x)"}, Limits{Memory: 1 << 19}, "limit: the groups take more than 0 MB"},
		"rows":   {Question{}, Limits{Memory: 1 << 18}, "limit: the rows take more than 0 MB"},
		"time":   {Question{Aggregate: "count"}, Limits{Time: 1}, "limit: the answer takes more than 1ns; ask for a shorter time"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := Compile(tc.q)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Run(t.Context(), Source{Records: of(many)}, tc.lim)
			if e, ok := errors.AsType[*Error](err); !ok || e.Field != Limit || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
	// What costs too much is a failure of that record.
	a := run(t, Question{Where: "body.list.all(a, body.list.all(b, body.list.all(c, a + b + c > 0)))", Aggregate: "count"}, many[:1])
	if a.Matched != 0 || a.Failed != 1 || !strings.Contains(a.Failure, "cost limit exceeded") {
		t.Errorf("got %+v", a.Stats)
	}
}

func TestErrorsOfTheSource(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, q := range []Question{{GroupBy: "host"}, {}} {
		c, err := Compile(q)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Run(t.Context(), Source{Records: func(yield func(*Record, error) bool) {
			for _, r := range sample() {
				if !yield(r, nil) {
					return
				}
			}
			yield(nil, broken)
		}}, Limits{})
		if !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}
