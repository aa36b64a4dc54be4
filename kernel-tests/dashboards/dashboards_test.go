package dashboards

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// dashboard is what is read of a committed file.
type dashboard struct {
	UID        string
	Title      string
	Panels     []panel
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Datasource               *datasource
	Targets                  []struct {
		RefID, Expr string
		Datasource  *datasource
	}
}

type datasource struct{ Type, UID string }

// without lists panels that can have no data here, by "uid/title", with the reason.
func without() map[string]string { return map[string]string{} }

func read(t *testing.T) (list []dashboard) {
	t.Helper()
	files, err := filepath.Glob("../../exporter/dashboards/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d dashboards, %v", len(files), err)
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(raw, &d); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		list = append(list, d)
	}
	return list
}

// The files are what Grafana can import.
func TestShape(t *testing.T) {
	uids := make(map[string]bool)
	for _, d := range read(t) {
		if d.UID == "" || uids[d.UID] || d.Title == "" {
			t.Errorf("%q: no uid or title of its own", d.UID)
		}
		uids[d.UID] = true
		var names []string
		for _, v := range d.Templating.List {
			names = append(names, v.Name)
		}
		if !slices.Equal(names, []string{"datasource", "host"}) {
			t.Errorf("%s: variables are %v", d.UID, names)
		}
		ids := make(map[int]bool)
		for _, p := range d.Panels {
			if p.ID == 0 || ids[p.ID] || p.Title == "" {
				t.Errorf("%s: panel %d %q", d.UID, p.ID, p.Title)
			}
			ids[p.ID] = true
			if p.Type != "row" {
				p.check(t, d.UID)
			}
		}
	}
}

func (p panel) check(t *testing.T, uid string) {
	t.Helper()
	want := datasource{"prometheus", "${datasource}"}
	if p.Description == "" || p.Datasource == nil || *p.Datasource != want || len(p.Targets) == 0 {
		t.Errorf("%s: %q lacks a description, data source or queries", uid, p.Title)
	}
	for _, q := range p.Targets {
		if q.Expr == "" || q.RefID == "" || q.Datasource == nil || *q.Datasource != want {
			t.Errorf("%s: %q: query %+v", uid, p.Title, q)
		}
	}
}

// question is one query of a panel, as Grafana would ask it.
type question struct{ where, expr string }

func questions(list []dashboard) (all []question) {
	variables := strings.NewReplacer("$__rate_interval", "1m", "$host", ".*")
	for _, d := range list {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if without()[d.UID+"/"+p.Title] == "" {
					all = append(all, question{fmt.Sprintf("%s/%s %s", d.UID, p.Title, q.RefID), variables.Replace(q.Expr)})
				}
			}
		}
	}
	return all
}

func TestEveryPanelHasData(t *testing.T) {
	r := newRig(t, 2, 3)
	ctx, cancel := context.WithCancel(context.Background())
	traffic, discovery := r.traffic(ctx), r.discovery(ctx)
	defer discovery.Wait()
	defer traffic.Wait()
	defer cancel()
	r.startPrometheus()
	r.whole(len(r.estate.Hosts()))
	r.deaths()
	r.answers(questions(read(t)))
	r.hosts(read(t))
	r.rules()
}

// answers waits until every question has one: series need two scrapes before they have a rate.
func (r *rig) answers(open []question) {
	r.t.Helper()
	total := len(open)
	for end := time.Now().Add(patience); len(open) > 0; time.Sleep(time.Second) {
		open = slices.DeleteFunc(open, func(q question) bool {
			if strings.Contains(q.expr, "$") {
				r.t.Fatalf("%s: a variable that is not known here: %s", q.where, q.expr)
			}
			result, err := r.query(q.expr)
			if err != nil {
				r.t.Fatalf("%s: %v", q.where, err)
			}
			return slices.ContainsFunc(result, sample.number)
		})
		if len(open) > 0 && time.Now().After(end) {
			break
		}
	}
	for _, q := range open {
		r.t.Errorf("%s: no data: %s", q.where, q.expr)
	}
	r.t.Logf("%d of %d queries have data", total-len(open), total)
}

// hosts waits until the variable offers them: one whose scrape took too long is not there until
// the next one.
func (r *rig) hosts(list []dashboard) {
	r.t.Helper()
	for _, d := range list {
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			metric, label, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(v.Definition, "label_values("), ")"), ", ")
			r.wait(d.UID+": variable "+v.Name+" offers hosts", patience, func() error {
				result, err := r.query(metric)
				offered := make(map[string]bool)
				for _, s := range result {
					offered[s.Metric[label]] = true
				}
				if err == nil && (!offered[managerHost] || !offered["s1-h2"] || offered[""]) {
					err = fmt.Errorf("it offers %v", offered)
				}
				return err
			})
		}
	}
}

// alerts are the states of some of them: a host has crashed, and the manager's own host,
// which has no neighbor, is no reason to alert anybody.
func alerts() map[string]string {
	return map[string]string{
		"CassiniHostCrashed": "firing", "CassiniSegmentLost": "inactive", "CassiniHostsUnwatched": "inactive", "CassiniOutboxDropping": "inactive",
	}
}

// rule is one that Prometheus has loaded.
type rule struct{ Name, Type, Health, LastError, State string }

func (r *rig) loaded() (list []rule) {
	r.t.Helper()
	var answer struct {
		Data struct{ Groups []struct{ Rules []rule } }
	}
	if err := r.get(r.url(promPort, "/api/v1/rules"), &answer); err != nil {
		r.t.Fatal(err)
	}
	for _, g := range answer.Data.Groups {
		list = append(list, g.Rules...)
	}
	return list
}

// alerting waits until the alerts are what they should be: what the manager says now is in
// Prometheus after the next scrape, and in a rule's state after the evaluation that follows.
func (r *rig) alerting() {
	r.t.Helper()
	r.wait("alerts are as they should be", patience, func() error {
		var wrong []error
		for _, rule := range r.loaded() {
			if want := alerts()[rule.Name]; want != "" && rule.State != want {
				wrong = append(wrong, fmt.Errorf("%s is %s, want %s", rule.Name, rule.State, want))
			}
		}
		return errors.Join(wrong...)
	})
}

// rules are all evaluated without an error, recordings have data, and what alerts is right.
func (r *rig) rules() {
	r.t.Helper()
	var recordings []question
	for _, rule := range r.loaded() {
		if rule.Type == "recording" {
			recordings = append(recordings, question{"recording", rule.Name})
		}
	}
	r.answers(recordings)
	r.alerting()
	list := r.loaded()
	for _, rule := range list {
		if rule.Health != "ok" {
			r.t.Errorf("%s: %s %s", rule.Name, rule.Health, rule.LastError)
		}
	}
	if len(list) < 15 || len(recordings) == 0 {
		r.t.Errorf("only %d rules were loaded, %d of them recordings", len(list), len(recordings))
	}
}
