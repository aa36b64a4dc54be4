package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"cassini/exporter"
)

var update = flag.Bool("update", false, "write the dashboards' files")

// What is committed is what this package builds.
func TestGenerated(t *testing.T) {
	known := make(map[string]bool)
	for _, d := range All() {
		got, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		known[d.File()] = true
		if *update {
			if err := os.WriteFile(d.File(), got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(d.File()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the source builds (%v); run 'go generate ./exporter/dashboards'", d.File(), err)
		}
	}
	files, err := filepath.Glob("*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !known[f] {
			t.Errorf("%s is no dashboard of this package", f)
		}
	}
}

func TestDashboards(t *testing.T) {
	uids := make(map[string]bool)
	for _, d := range All() {
		if d.UID == "" || len(d.UID) > 40 || uids[d.UID] || d.Title == "" || d.Description == "" {
			t.Errorf("%q: bad uid, title or description", d.UID)
		}
		uids[d.UID] = true
		titles := make(map[string]bool)
		for i, p := range d.Panels {
			if p.ID != i+1 || titles[p.Title] || p.Title == "" {
				t.Errorf("%s: panel %d %q: bad id or title", d.UID, p.ID, p.Title)
			}
			titles[p.Title] = true
			if p.Type != "row" {
				checkPanel(t, d.UID, p)
			}
		}
		checkPlaces(t, d)
	}
}

func checkPanel(t *testing.T, uid string, p Panel) {
	t.Helper()
	if p.Description == "" || p.Datasource == nil || p.FieldConfig.Defaults.Unit == "" || len(p.FieldConfig.Defaults.Thresholds.Steps) == 0 || len(p.Targets) == 0 {
		t.Errorf("%s: %q lacks a description, data source, unit, thresholds or queries", uid, p.Title)
	}
	refs := make(map[string]bool)
	for _, q := range p.Targets {
		if refs[q.RefID] || q.Datasource == nil || q.Expr == "" {
			t.Errorf("%s: %q: bad query %+v", uid, p.Title, q)
		}
		refs[q.RefID] = true
		if p.Type == "timeseries" && len(p.Targets) > 1 && q.LegendFormat == "" {
			t.Errorf("%s: %q: series of %s have no name", uid, p.Title, q.RefID)
		}
	}
}

// checkPlaces finds panels that overlap or leave the grid.
func checkPlaces(t *testing.T, d Dashboard) {
	t.Helper()
	taken := make(map[[2]int]string)
	for _, p := range d.Panels {
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > columns {
			t.Errorf("%s: %q stands at %+v", d.UID, p.Title, g)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" {
					t.Fatalf("%s: %q and %q overlap", d.UID, p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// Every metric that a query names is one that Cassini shows, with the labels that it has.
func TestMetricsExist(t *testing.T) {
	document := string(exporter.Document())
	for _, d := range All() {
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bcassini_[a-z_0-9]+`).FindAllString(string(raw), -1) {
			if !strings.Contains(document, "`"+name+"`") {
				t.Errorf("%s: there is no metric %s", d.UID, name)
			}
		}
	}
}
