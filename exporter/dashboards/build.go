package dashboards

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// All are the dashboards, in the order in which one looks at them.
func All() []Dashboard {
	return []Dashboard{ringHealth(), services(), host(), overhead()}
}

// File is the name of a dashboard's file.
func (d Dashboard) File() string { return d.UID + ".json" }

// JSON is what Grafana imports.
func (d Dashboard) JSON() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(d); err != nil {
		return nil, fmt.Errorf("encode dashboard %s: %w", d.UID, err)
	}
	return b.Bytes(), nil
}

const tag = "cassini"

func prometheus() *Datasource { return &Datasource{Type: "prometheus", UID: "${datasource}"} }

// section is a heading and the panels below it.
type section struct {
	title  string
	panels []Panel
}

// newDashboard places the panels, row by row, from left to right.
func newDashboard(uid, title, description string, sections ...section) Dashboard {
	d := Dashboard{
		UID: uid, Title: title, Description: description, Tags: []string{tag}, Editable: true, SchemaVersion: 39, GraphTooltip: 1,
		Refresh: "10s", Time: Span{From: "now-1h", To: "now"},
		Links:      []Link{{Title: "Cassini", Type: "dashboards", Tags: []string{tag}, AsDropdown: true, IncludeVars: true, KeepTime: true}},
		Templating: Templating{List: variables()},
	}
	y := 0
	for _, s := range sections {
		d.add(Panel{Type: "row", Title: s.title, GridPos: Place{Y: y, W: columns, H: 1}})
		y = d.flow(s.panels, y+1)
	}
	return d
}

const columns = 24

// flow adds panels from y on, and returns where the next section begins.
func (d *Dashboard) flow(panels []Panel, y int) int {
	x, height := 0, 0
	for _, p := range panels {
		if x+p.GridPos.W > columns {
			x, y, height = 0, y+height, 0
		}
		p.GridPos.X, p.GridPos.Y = x, y
		x, height = x+p.GridPos.W, max(height, p.GridPos.H)
		d.add(p)
	}
	return y + height
}

func (d *Dashboard) add(p Panel) {
	p.ID = len(d.Panels) + 1
	d.Panels = append(d.Panels, p)
}

func variables() []Variable {
	hosts := "label_values(cassini_build_info, instance)"
	return []Variable{
		{Name: "datasource", Label: "Data source", Description: "The Prometheus that scrapes Cassini.", Type: "datasource", Query: "prometheus", Refresh: 1},
		{
			Name: "host", Label: "Host", Description: "Whose figures are shown. Those of a manager are about the whole estate, and always shown.",
			Type: "query", Datasource: prometheus(), Definition: hosts, Query: map[string]string{"query": hosts, "refId": "hosts"},
			IncludeAll: true, AllValue: ".*", Multi: true, Refresh: 2, Sort: 1, Current: &Choice{Text: []string{"All"}, Value: []string{"$__all"}},
		},
	}
}
