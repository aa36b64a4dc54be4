// Package peer holds a graph in databases and asks them by recursive common table
// expressions what manager/graph answers, as somebody would who knows them well: integer
// keys, covering indices in both directions, prepared statements, a cache that holds
// everything, and, made beforehand, tables of what falls with what, of the ways that a path
// can take, and of what differences are told of.
//
// "All of several must fall" cannot be said in a recursive expression: Impact, Point and
// Cause are right where nothing stands in for another, as in tools/graphbench/estate.
package peer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"

	"cassini/model"
)

// Data is what a database is filled with.
type Data struct {
	Nodes []model.Node
	Edges iter.Seq[model.Edge]
	Then  []Thing // of an earlier moment
}

// DB is a filled database. It is safe for concurrent use; in memory, one asks at a time.
type DB struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
	engine
	closers []func() error
}

// engine is what differs between databases.
type engine struct {
	statements map[string]string
	size       string                      // the statement that tells the bytes
	names      func([]string) (any, error) // how a list of names is handed over
	update     func(ctx context.Context, tx *sql.Tx, update *sql.Stmt, edges []int64) error
}

// sink takes the rows of a table.
type sink interface {
	row(ctx context.Context, values ...any) error
	end(ctx context.Context) error
}

// Close ends it.
func (p *DB) Close() error {
	var errs []error
	for _, s := range p.stmts {
		errs = append(errs, s.Close())
	}
	errs = append(errs, p.db.Close())
	for _, c := range p.closers {
		errs = append(errs, c())
	}
	return errors.Join(errs...)
}

// fill makes tables, their rows by sinks, and then indices, in one transaction.
func (p *DB) fill(ctx context.Context, d Data, schema, indices string, table func(tx *sql.Tx, name string, columns ...string) (sink, error)) error {
	if _, err := p.db.ExecContext(ctx, schema); err != nil {
		return fmt.Errorf("make tables: %w", err)
	}
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to fill tables: %w", err)
	}
	if err := rows(ctx, d, func(name string, columns ...string) (sink, error) { return table(tx, name, columns...) }); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if _, err := tx.ExecContext(ctx, indices); err != nil {
		return errors.Join(fmt.Errorf("make indices: %w", err), tx.Rollback())
	}
	return tx.Commit()
}

// rows fills one table after the other.
func rows(ctx context.Context, d Data, table func(name string, columns ...string) (sink, error)) error {
	ids, err := nodeRows(ctx, d.Nodes, table)
	if err != nil {
		return err
	}
	if err := edgeRows(ctx, d.Edges, ids, table); err != nil {
		return err
	}
	now := func(yield func(Thing) bool) {
		for _, n := range d.Nodes {
			if t, ok := NodeThing(n); ok && !yield(t) {
				return
			}
		}
		for e := range d.Edges {
			if t, ok := EdgeThing(e); ok && !yield(t) {
				return
			}
		}
	}
	if err := thingRows(ctx, now, "things_now", table); err != nil {
		return err
	}
	return thingRows(ctx, func(yield func(Thing) bool) {
		for _, t := range d.Then {
			if !yield(t) {
				return
			}
		}
	}, "things_then", table)
}

func nodeRows(ctx context.Context, nodes []model.Node, table func(name string, columns ...string) (sink, error)) (ids map[string]int, err error) {
	to, err := table("nodes", "id", "name", "kind", "host", "attrs")
	if err != nil {
		return nil, fmt.Errorf("insert nodes: %w", err)
	}
	defer func() { err = errors.Join(err, to.end(ctx)) }()
	ids = make(map[string]int, len(nodes))
	for i, n := range nodes {
		ids[n.ID] = i + 1
		host := n.Attrs["host"]
		if n.Kind == model.KindHost {
			host = n.Attrs["name"]
		}
		attrs, err := json.Marshal(n.Attrs)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", n.ID, err)
		}
		if err := to.row(ctx, i+1, n.ID, n.Kind, host, string(attrs)); err != nil {
			return nil, fmt.Errorf("insert %s: %w", n.ID, err)
		}
	}
	return ids, nil
}

func edgeRows(ctx context.Context, edges iter.Seq[model.Edge], ids map[string]int, table func(name string, columns ...string) (sink, error)) (err error) {
	to, err := table("edges", "id", "src", "dst", "kind", "name", "connections", "attrs")
	if err != nil {
		return fmt.Errorf("insert edges: %w", err)
	}
	defer func() { err = errors.Join(err, to.end(ctx)) }()
	i := 0
	for e := range edges {
		i++
		attrs, err := json.Marshal(e.Attrs)
		if err != nil {
			return fmt.Errorf("encode %s: %w", e.ID, err)
		}
		var connections any
		if n, ok := e.Attrs["connections"].(uint64); ok {
			connections = int64(n)
		}
		if err := to.row(ctx, i, ids[e.From], ids[e.To], e.Kind, e.ID, connections, string(attrs)); err != nil {
			return fmt.Errorf("insert %s: %w", e.ID, err)
		}
	}
	return nil
}

func thingRows(ctx context.Context, things iter.Seq[Thing], name string, table func(name string, columns ...string) (sink, error)) (err error) {
	to, err := table(name, "name", "facts")
	if err != nil {
		return fmt.Errorf("insert %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, to.end(ctx)) }()
	for t := range things {
		if err := to.row(ctx, t.Name, t.Facts); err != nil {
			return fmt.Errorf("insert %s: %w", t.Name, err)
		}
	}
	return nil
}

// Bytes is what the database takes, its indices included.
func (p *DB) Bytes(ctx context.Context) (n int64, err error) {
	err = p.db.QueryRowContext(ctx, p.size).Scan(&n)
	return n, err
}
