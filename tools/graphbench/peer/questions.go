package peer

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
)

func (p *DB) prepare(ctx context.Context) error {
	for name, text := range p.statements {
		s, err := p.db.PrepareContext(ctx, text)
		if err != nil {
			return fmt.Errorf("prepare %s: %w", name, err)
		}
		p.stmts[name] = s
	}
	return nil
}

// each runs a statement and calls f for every row.
func (p *DB) each(ctx context.Context, name string, f func(*sql.Rows) error, args ...any) (err error) {
	rows, err := p.stmts[name].QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("ask %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := f(rows); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	return rows.Err()
}

// Row is a node or an edge, with its attributes as JSON or, in Impact, its kind.
type Row struct{ Name, Text string }

func (p *DB) list(ctx context.Context, name string, args ...any) (list []Row, err error) {
	err = p.each(ctx, name, func(r *sql.Rows) error {
		var row Row
		list = append(list, row)
		last := &list[len(list)-1]
		return r.Scan(&last.Name, &last.Text)
	}, args...)
	return list, err
}

// Neighbourhood are a node, those beside it, and the edges between all of them.
func (p *DB) Neighbourhood(ctx context.Context, node string) (nodes, edges []Row, err error) {
	if nodes, err = p.list(ctx, "nodes near", node); err != nil {
		return nil, nil, err
	}
	edges, err = p.list(ctx, "edges near", node)
	return nodes, edges, err
}

// Step is a dependency by its name, and how many steps lead to it.
type Step struct {
	Name  string
	Depth int
}

// Reach are the dependencies of a host, so many steps on, or with up those on a service.
func (p *DB) Reach(ctx context.Context, from string, depth int, up bool) (list []Step, err error) {
	err = p.each(ctx, "reach "+way(up), func(r *sql.Rows) error {
		list = append(list, Step{})
		last := &list[len(list)-1]
		return r.Scan(&last.Name, &last.Depth)
	}, from, depth)
	return list, err
}

// Dependencies are the same with attributes, and without steps.
func (p *DB) Dependencies(ctx context.Context, from string, depth int, up bool) ([]Row, error) {
	return p.list(ctx, way(up), from, depth)
}

func way(up bool) string {
	if up {
		return "up"
	}
	return "down"
}

// Impact are the victims of a node.
func (p *DB) Impact(ctx context.Context, node string) ([]Row, error) {
	return p.list(ctx, "impact", node)
}

// Point is how many hosts and services fall with a node, besides what is on it.
func (p *DB) Point(ctx context.Context, node string) (hosts, services int, err error) {
	err = p.stmts["point"].QueryRowContext(ctx, node).Scan(&hosts, &services)
	return hosts, services, err
}

// Path is how many steps a shortest way has; 0 where there is none of up to 16.
func (p *DB) Path(ctx context.Context, from, to string) (steps int, err error) {
	err = p.stmts["path"].QueryRowContext(ctx, from, to).Scan(&steps)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return steps, err
}

// Candidate is a failure that explains all symptoms.
type Candidate struct {
	Name    string
	Victims int
}

// Cause are the candidates, those with the fewest victims first.
func (p *DB) Cause(ctx context.Context, symptoms []string) (list []Candidate, err error) {
	names, err := p.names(symptoms)
	if err != nil {
		return nil, fmt.Errorf("encode symptoms: %w", err)
	}
	err = p.each(ctx, "cause", func(r *sql.Rows) error {
		var c Candidate
		if err := r.Scan(&c.Name, &c.Victims); err != nil {
			return err
		}
		list = append(list, c)
		return nil
	}, names)
	slices.SortFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Victims, b.Victims), strings.Compare(a.Name, b.Name))
	})
	return list, err
}

// Diff is what came, went and changed since an earlier moment: which of the three, and what.
func (p *DB) Diff(ctx context.Context) ([]Row, error) { return p.list(ctx, "diff") }

// Update counts a connection on each dependency by its number, in one transaction.
func (p *DB) Update(ctx context.Context, edges []int64) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to update: %w", err)
	}
	if err := p.update(ctx, tx, p.stmts["update"], edges); err != nil {
		return errors.Join(fmt.Errorf("update edges: %w", err), tx.Rollback())
	}
	return tx.Commit()
}

// Edges are the numbers of up to limit dependencies.
func (p *DB) Edges(ctx context.Context, limit int) (ids []int64, err error) {
	err = p.each(ctx, "ids", func(r *sql.Rows) error {
		var id int64
		defer func() { ids = append(ids, id) }()
		return r.Scan(&id)
	}, limit)
	return ids, err
}
