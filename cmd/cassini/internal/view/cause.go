package view

import (
	"fmt"
	"strings"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// CauseTitle says what is to be explained.
func CauseTitle(d model.Diagnosis) string {
	lines := []string{fmt.Sprintf("%d symptoms:", len(d.Symptoms))}
	if len(d.Symptoms) == 1 {
		lines[0] = "1 symptom:"
	}
	for i, s := range d.Symptoms {
		if i == maxSymptoms {
			lines = append(lines, fmt.Sprintf("  and %d more", len(d.Symptoms)-i))
			break
		}
		lines = append(lines, "  "+output.Clean(s.Node)+": "+output.Clean(s.What))
	}
	if d.Note != "" {
		lines = append(lines, output.Clean(d.Note))
	}
	return strings.Join(lines, "\n")
}

// maxSymptoms are named one by one.
const maxSymptoms = 12

// Cause lays out explanations, the likeliest first, a row for each cause.
func Cause(d model.Diagnosis) *output.Table {
	table := &output.Table{Columns: []output.Column{
		{Title: "FIT", Right: true}, {Title: "CAUSE", Flex: true}, {Title: "EXPLAINS", Right: true}, {Title: "FOR", Flex: true}, {Title: "AGAINST", Flex: true},
	}}
	for n, e := range d.Explanations {
		style := output.Plain
		if n > 0 {
			style = output.Dim
		}
		for i, c := range e.Causes {
			fit, name := fmt.Sprintf("%.0f%%", 100*e.Score), c.ID
			if i > 0 {
				fit, name = "", "and "+c.ID
			}
			table.Add(style, output.Cell{Text: fit}, output.Cell{Text: name}, output.Cell{Text: fmt.Sprintf("%d of %d", len(c.Explains), len(d.Symptoms))},
				output.Cell{Text: orDash(strings.Join(c.For, "; "))}, output.Cell{Text: orDash(strings.Join(c.Against, "; "))})
		}
	}
	return table
}
