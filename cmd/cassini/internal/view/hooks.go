package view

import (
	"cmp"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Hooks lays out which hook of the kernel serves which fact.
func Hooks(hooks []model.Hook) *output.Table {
	table := &output.Table{Columns: []output.Column{{Title: "FACT"}, {Title: "HOOK"}, {Title: "RUNG"}, {Title: "LOST"}, {Title: "WHY"}}}
	for _, h := range hooks {
		rung := output.Cell{Text: "first choice", Style: output.Green}
		switch {
		case h.Hook == "":
			rung = output.Cell{Text: "not served", Style: output.Red}
		case !h.First:
			rung = output.Cell{Text: "fallback", Style: output.Yellow}
		}
		table.Add(output.Plain, output.Cell{Text: h.Fact}, output.Cell{Text: cmp.Or(h.Hook, "-")}, rung,
			output.Cell{Text: cmp.Or(h.Lost, "-")}, output.Cell{Text: cmp.Or(h.Reason, "-")})
	}
	return table
}
