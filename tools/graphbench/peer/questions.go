package peer

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// falling is what falls with a node, itself included.
const falling = `WITH RECURSIVE f(id) AS (SELECT id FROM nodes WHERE name = ?1 UNION SELECT falls.dst FROM f CROSS JOIN falls ON falls.src = f.id) `

// near are a node and those beside it.
const near = `WITH s(id) AS (SELECT id FROM nodes WHERE name = ?1),
c(id) AS (SELECT id FROM s UNION SELECT dst FROM s CROSS JOIN edges ON src = s.id UNION SELECT src FROM s CROSS JOIN edges ON dst = s.id) `

var statements = map[string]string{
	"nodes near": near + `SELECT n.name, n.attrs FROM c CROSS JOIN nodes n ON n.id = c.id`,
	"edges near": near + `SELECT e.name, e.attrs FROM c CROSS JOIN edges e ON e.src = c.id WHERE e.dst IN c`,
	"down": `WITH RECURSIVE w(id, d) AS (
	SELECT e.dst, 1 FROM nodes n CROSS JOIN edges e ON e.src = n.id AND e.kind = 'has' WHERE n.name = ?1
	UNION SELECT r.dst, w.d + 1 FROM w CROSS JOIN edges e ON e.src = w.id AND e.kind = 'depends_on' CROSS JOIN edges r ON r.src = e.dst AND r.kind = 'runs_as' WHERE w.d < ?2)
SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x CROSS JOIN edges e ON e.src = x.id AND e.kind = 'depends_on'`,
	"up": `WITH RECURSIVE w(id, d) AS (
	SELECT id, 1 FROM nodes WHERE name = ?1
	UNION SELECT r.src, w.d + 1 FROM w CROSS JOIN edges e ON e.dst = w.id AND e.kind = 'depends_on' CROSS JOIN edges r ON r.dst = e.src AND r.kind = 'runs_as' WHERE w.d < ?2)
SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x CROSS JOIN edges e ON e.dst = x.id AND e.kind = 'depends_on'`,
	"impact": falling + `SELECT n.name, n.kind FROM f CROSS JOIN nodes n ON n.id = f.id WHERE n.name <> ?1 AND n.kind NOT IN ('switchport', 'interface')
	AND NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))`,
	"point": falling + `SELECT coalesce(sum(n.kind = 'host'), 0), coalesce(sum(n.kind = 'service'), 0) FROM f CROSS JOIN nodes n ON n.id = f.id, (SELECT * FROM nodes WHERE name = ?1) s
	WHERE n.id <> s.id AND NOT (s.kind = 'host' AND n.host IS s.host)`,
	"path": `WITH RECURSIVE b(id, d) AS (SELECT id, 0 FROM nodes WHERE name = ?1 UNION SELECT ways.dst, b.d + 1 FROM b CROSS JOIN ways ON ways.src = b.id WHERE b.d < 16 ORDER BY 2)
SELECT d FROM b WHERE id = (SELECT id FROM nodes WHERE name = ?2) LIMIT 1`,
	"cause": `WITH RECURSIVE s(id) AS (SELECT n.id FROM json_each(?1) j JOIN nodes n ON n.name = j.value),
up(symptom, id) AS (SELECT id, id FROM s UNION SELECT up.symptom, falls.src FROM up CROSS JOIN falls ON falls.dst = up.id),
cand(id) AS (SELECT id FROM up GROUP BY id HAVING count(*) = (SELECT count(*) FROM s)),
down(cand, id) AS (SELECT c.id, c.id FROM cand c CROSS JOIN nodes n ON n.id = c.id
	WHERE NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))
	UNION SELECT down.cand, falls.dst FROM down CROSS JOIN falls ON falls.src = down.id)
SELECT n.name, count(*) - 1 FROM down CROSS JOIN nodes n ON n.id = down.cand GROUP BY down.cand`,
	"update": `UPDATE edges SET connections = connections + 1 WHERE id = ?1`,
	"ids":    `SELECT id FROM edges WHERE kind = 'depends_on' ORDER BY id LIMIT ?1`,
}

func (p *DB) prepare(ctx context.Context) error {
	for name, text := range statements {
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

// Down are the dependencies of a host, so many steps on.
func (p *DB) Down(ctx context.Context, host string, depth int) ([]Row, error) {
	return p.list(ctx, "down", host, depth)
}

// Up are the dependencies on a service, so many steps back.
func (p *DB) Up(ctx context.Context, service string, depth int) ([]Row, error) {
	return p.list(ctx, "up", service, depth)
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
	names, err := json.Marshal(symptoms)
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
	}, string(names))
	slices.SortFunc(list, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(a.Victims, b.Victims), strings.Compare(a.Name, b.Name))
	})
	return list, err
}

// Update counts a connection on each dependency by its number, in one transaction.
func (p *DB) Update(ctx context.Context, edges []int64) error {
	tx, err := p.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin to update: %w", err)
	}
	s := tx.StmtContext(ctx, p.stmts["update"])
	for _, id := range edges {
		if _, err := s.ExecContext(ctx, id); err != nil {
			return errors.Join(fmt.Errorf("update an edge: %w", err), tx.Rollback())
		}
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
