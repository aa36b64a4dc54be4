package dashboards

// query is one expression and what its series are called.
type query struct{ expr, legend string }

// about is what every panel says of itself.
type about struct {
	title, description, unit string
}

// levels are thresholds: a colour from a value on.
type levels []Step

// calm has no thresholds.
func calm() levels { return levels{{Color: "green"}} }

// neutral is for figures that are neither good nor bad.
func neutral() levels { return levels{{Color: "blue"}} }

// above is yellow and red from two values on.
func above(yellow, red float64) levels {
	return levels{{Color: "green"}, {Color: "yellow", Value: &yellow}, {Color: "red", Value: &red}}
}

// redAbove is red from a value on.
func redAbove(red float64) levels { return levels{{Color: "green"}, {Color: "red", Value: &red}} }

// yellowAbove is yellow from a value on.
func yellowAbove(yellow float64) levels {
	return levels{{Color: "green"}, {Color: "yellow", Value: &yellow}}
}

// redBelow is red until a value.
func redBelow(green float64) levels { return levels{{Color: "red"}, {Color: "green", Value: &green}} }

func newPanel(kind string, a about, l levels, width, height int, queries []query) Panel {
	p := Panel{
		Type: kind, Title: a.title, Description: a.description, GridPos: Place{W: width, H: height}, Datasource: prometheus(),
		FieldConfig: &FieldConfig{
			Defaults:  Defaults{Unit: a.unit, Color: Color{"thresholds"}, Thresholds: Thresholds{"absolute", l}},
			Overrides: []Override{},
		},
	}
	for i, q := range queries {
		p.Targets = append(p.Targets, Target{RefID: string(rune('A' + i)), Datasource: prometheus(), Expr: q.expr, LegendFormat: q.legend, Range: true})
	}
	return p
}

// stat is one figure, or a few, as they are now.
func stat(a about, l levels, width int, queries ...query) Panel {
	p := newPanel("stat", a, l, width, 4, queries)
	for i := range p.Targets {
		p.Targets[i].Instant, p.Targets[i].Range = true, false
	}
	p.Options = map[string]any{
		"colorMode": "value", "graphMode": "none", "textMode": "auto", "justifyMode": "auto", "orientation": "auto",
		"reduceOptions": map[string]any{"calcs": []string{"lastNotNull"}, "fields": "", "values": false},
	}
	return p
}

// curves are series over time. Thresholds with values are drawn as lines.
func curves(a about, l levels, width int, queries ...query) Panel {
	p := newPanel("timeseries", a, l, width, 8, queries)
	zero, style := 0.0, "off"
	if len(l) > 1 {
		style = "dashed"
	}
	p.FieldConfig.Defaults.Color, p.FieldConfig.Defaults.Min = Color{"palette-classic"}, &zero
	p.FieldConfig.Defaults.Custom = map[string]any{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "spanNulls": false,
		"thresholdsStyle": map[string]any{"mode": style},
	}
	p.Options = map[string]any{
		"legend":  map[string]any{"displayMode": "table", "placement": "bottom", "showLegend": true, "calcs": []string{"lastNotNull", "max"}},
		"tooltip": map[string]any{"mode": "multi", "sort": "desc"},
	}
	return p
}

// stacked are curves on top of each other.
func stacked(a about, width int, queries ...query) Panel {
	p := curves(a, calm(), width, queries...)
	p.FieldConfig.Defaults.Custom["stacking"] = map[string]any{"mode": "normal", "group": "A"}
	p.FieldConfig.Defaults.Custom["fillOpacity"] = 40
	return p
}

// heatmap shows a native histogram over time.
func heatmap(a about, width int, q query) Panel {
	p := newPanel("heatmap", a, calm(), width, 8, []query{q})
	p.Targets[0].Format = "heatmap"
	p.Options = map[string]any{
		"calculate": false, "color": map[string]any{"mode": "scheme", "scheme": "Oranges", "steps": 64},
		"yAxis": map[string]any{"unit": a.unit}, "cellGap": 1, "legend": map[string]any{"show": true},
		"tooltip": map[string]any{"mode": "single", "yHistogram": true}, "rowsFrame": map[string]any{"layout": "auto"},
	}
	return p
}

// timeline shows states over time, one line for each.
func timeline(a about, width int, words map[string]Word, q query) Panel {
	p := newPanel("state-timeline", a, calm(), width, 8, []query{q})
	p.FieldConfig.Defaults.Mappings = []Mapping{{Type: "value", Options: words}}
	p.FieldConfig.Defaults.Custom = map[string]any{"fillOpacity": 80, "lineWidth": 0}
	p.Options = map[string]any{"mergeValues": true, "showValue": "never", "rowHeight": 0.9, "legend": map[string]any{"displayMode": "list", "placement": "bottom", "showLegend": true}}
	return p
}

// column is one query of a table and how its values look.
type column struct {
	name, expr, unit string
	levels           levels
}

// table has a line for each set of labels, and a column for each query. Labels that are
// not for people are hidden.
func table(a about, width int, hidden []string, columns ...column) Panel {
	p := newPanel("table", a, calm(), width, 9, nil)
	exclude := map[string]bool{"Time": true, "__name__": true, "job": true}
	for _, h := range hidden {
		exclude[h] = true
	}
	rename := make(map[string]string)
	for i, c := range columns {
		ref := string(rune('A' + i))
		p.Targets = append(p.Targets, Target{RefID: ref, Datasource: prometheus(), Expr: c.expr, Format: "table", Instant: true})
		value := "Value"
		if len(columns) > 1 {
			value += " #" + ref
		}
		if c.name == "" { // its labels say everything
			exclude[value] = true
			continue
		}
		rename[value] = c.name
		p.FieldConfig.Overrides = append(p.FieldConfig.Overrides, c.override())
	}
	p.Transformations = []Transformation{
		{ID: "merge", Options: map[string]any{}},
		{ID: "organize", Options: map[string]any{"excludeByName": exclude, "renameByName": rename}},
	}
	p.Options = map[string]any{"showHeader": true, "cellHeight": "sm", "footer": map[string]any{"show": false}}
	return p
}

func (c column) override() Override {
	o := Override{Matcher: Matcher{"byName", c.name}, Properties: []Property{{"unit", c.unit}}}
	if c.levels != nil {
		o.Properties = append(o.Properties, Property{"thresholds", Thresholds{"absolute", c.levels}}, Property{"custom.cellOptions", map[string]string{"type": "color-text"}})
	}
	return o
}
