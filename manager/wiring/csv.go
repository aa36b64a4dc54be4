package wiring

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"cassini/model"
)

// columns of a plan, in the order in which WriteCSV writes them.
func columns() []string { return []string{"host", "interface", "switch", "port"} }

// ReadCSV reads a plan. The first line names the columns, among which must be host,
// interface, switch and port; others are left alone. Commas, semicolons or tabs separate
// them, lines that begin with # are comments. Errors wrap ErrPlan.
func ReadCSV(text []byte) (Plan, error) {
	text = bytes.TrimPrefix(text, []byte("\ufeff")) // spreadsheets write it
	if len(text) > MaxPlan {
		return Plan{}, fmt.Errorf("%w: it has more than %d MB", ErrPlan, MaxPlan>>20)
	}
	if !utf8.Valid(text) {
		return Plan{}, fmt.Errorf("%w: it is not UTF-8", ErrPlan)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.Comment, r.TrimLeadingSpace, r.FieldsPerRecord = separator(text), '#', true, -1
	if r.Comma == '\t' {
		r.TrimLeadingSpace = false // it would take empty fields for space
	}
	header, err := r.Read()
	if err != nil {
		return Plan{}, headerError(header, err)
	}
	at, err := findColumns(header)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{}
	lines := make(map[[2]string]int)
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return p, nil
		}
		if err != nil {
			return Plan{}, fmt.Errorf("%w: %w", ErrPlan, err)
		}
		line, _ := r.FieldPos(0)
		c, empty, err := cable(row, at, line)
		if err != nil {
			return Plan{}, err
		}
		if empty {
			continue
		}
		if before, twice := lines[[2]string{c.Host, c.Interface}]; twice {
			return Plan{}, fmt.Errorf("%w: line %d: %s %s stands on line %d already; an interface has one cable", ErrPlan, line, c.Host, c.Interface, before)
		}
		lines[[2]string{c.Host, c.Interface}] = line
		if p.Cables = append(p.Cables, c); len(p.Cables) > MaxCables {
			return Plan{}, fmt.Errorf("%w: it has more than %d cables", ErrPlan, MaxCables)
		}
	}
}

// separator is what the first line that is no comment has most of.
func separator(text []byte) rune {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		best := ','
		for _, c := range ";\t" {
			if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
				best = c
			}
		}
		return best
	}
	return ','
}

func headerError(header []string, err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it is empty; its first line names the columns: %s", ErrPlan, strings.Join(columns(), ","))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return fmt.Errorf("%w: the first line must name the columns %s, and has %q", ErrPlan, strings.Join(columns(), ", "), strings.Join(header, ", "))
}

// findColumns finds where the columns are.
func findColumns(header []string) (at [4]int, err error) {
	for i, name := range columns() {
		at[i] = slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(strings.TrimSpace(h), name) })
		if at[i] < 0 {
			return at, headerError(header, nil)
		}
	}
	return at, nil
}

// cable reads a row.
func cable(row []string, at [4]int, line int) (c model.PlannedCable, empty bool, err error) {
	var fields [4]string
	missing := ""
	for i, name := range columns() {
		if at[i] < len(row) {
			fields[i] = strings.TrimSpace(row[at[i]])
		}
		if fields[i] == "" {
			missing = name
		}
		if len(fields[i]) > maxName {
			return c, false, fmt.Errorf("%w: line %d: %s has more than %d bytes", ErrPlan, line, name, maxName)
		}
	}
	if !slices.ContainsFunc(row, func(f string) bool { return strings.TrimSpace(f) != "" }) {
		return c, true, nil
	}
	if missing != "" {
		return c, false, fmt.Errorf("%w: line %d: %s is missing", ErrPlan, line, missing)
	}
	return model.PlannedCable{Host: fields[0], Interface: fields[1], CableEnd: model.CableEnd{Switch: fields[2], Port: fields[3]}, Line: line}, false, nil
}

// WriteCSV writes cables as ReadCSV reads them.
func WriteCSV(cables []model.PlannedCable) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(columns()) // a buffer takes everything
	for _, c := range cables {
		_ = w.Write([]string{c.Host, c.Interface, c.Switch, c.Port})
	}
	w.Flush()
	return b.Bytes()
}
