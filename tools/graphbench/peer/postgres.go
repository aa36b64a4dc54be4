package peer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"
)

const postgresSchema = `
CREATE UNLOGGED TABLE nodes(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, host TEXT, attrs TEXT NOT NULL);
CREATE UNLOGGED TABLE edges(id INTEGER PRIMARY KEY, src INTEGER NOT NULL, dst INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, connections BIGINT, attrs TEXT NOT NULL);
CREATE UNLOGGED TABLE falls(src INTEGER NOT NULL, dst INTEGER NOT NULL);
CREATE UNLOGGED TABLE ways(src INTEGER NOT NULL, dst INTEGER NOT NULL);
CREATE UNLOGGED TABLE things_now(name TEXT PRIMARY KEY, facts TEXT NOT NULL);
CREATE UNLOGGED TABLE things_then(name TEXT PRIMARY KEY, facts TEXT NOT NULL);
`

const postgresIndices = `
CREATE INDEX edges_by_source ON edges(src, kind, dst);
CREATE INDEX edges_by_target ON edges(dst, kind, src);
CREATE INDEX nodes_by_kind ON nodes(kind);
INSERT INTO falls
	SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind = 'has' AND n.kind IN ('switch', 'host') OR e.kind = 'runs'
	UNION SELECT dst, src FROM edges WHERE kind IN ('wired_to', 'owns', 'depends_on', 'runs_as');
DELETE FROM falls WHERE dst IN (SELECT id FROM nodes WHERE kind = 'service' AND attrs::json ->> 'state' = 'ended');
CREATE INDEX falls_on ON falls(src, dst);
CREATE INDEX falls_back ON falls(dst, src);
INSERT INTO ways SELECT e.src, e.dst FROM edges e JOIN nodes n ON n.id = e.src WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring')
	UNION SELECT e.dst, e.src FROM edges e JOIN nodes n ON n.id = e.dst WHERE e.kind <> 'next' AND n.kind NOT IN ('subnet', 'vlan', 'ring');
CREATE INDEX ways_on ON ways(src, dst);
`

// Postgres starts a PostgreSQL of its own for so many hosts and fills it. An error that wraps
// ErrNotInstalled says that there is none.
func Postgres(ctx context.Context, hosts int, d Data) (*DB, error) {
	c, err := startCluster(ctx, hosts)
	if err != nil {
		return nil, err
	}
	p := &DB{db: c.db, stmts: make(map[string]*sql.Stmt), closers: []func() error{c.stop}, engine: engine{
		statements: postgresStatements,
		size:       "SELECT pg_database_size(current_database())",
		names:      func(list []string) (any, error) { return pq.Array(list), nil },
		update: func(ctx context.Context, tx *sql.Tx, update *sql.Stmt, edges []int64) error {
			_, err := tx.StmtContext(ctx, update).ExecContext(ctx, pq.Array(edges))
			return err
		},
	}}
	copyIn := func(tx *sql.Tx, name string, columns ...string) (sink, error) {
		s, err := tx.PrepareContext(ctx, "COPY "+name+" ("+strings.Join(columns, ", ")+") FROM STDIN")
		return copied{s}, err
	}
	err = p.fill(ctx, d, postgresSchema, postgresIndices, copyIn)
	if err == nil {
		_, err = p.db.ExecContext(ctx, "VACUUM ANALYZE") // which also lets indices answer alone
	}
	if err == nil {
		err = p.prepare(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("fill PostgreSQL: %w", err), p.Close())
	}
	return p, nil
}

// copied is a sink by COPY.
type copied struct{ s *sql.Stmt }

func (c copied) row(ctx context.Context, values ...any) error {
	_, err := c.s.ExecContext(ctx, values...)
	return err
}

func (c copied) end(ctx context.Context) error {
	_, err := c.s.ExecContext(ctx)
	return errors.Join(err, c.s.Close())
}

// postgresFalling is what falls with a node, itself included.
const postgresFalling = `WITH RECURSIVE f(id) AS (SELECT id FROM nodes WHERE name = $1 UNION SELECT falls.dst FROM f JOIN falls ON falls.src = f.id) `

// postgresNear are a node and those beside it.
const postgresNear = `WITH s(id) AS (SELECT id FROM nodes WHERE name = $1),
c(id) AS MATERIALIZED (SELECT id FROM s UNION SELECT dst FROM s JOIN edges ON src = s.id UNION SELECT src FROM s JOIN edges ON dst = s.id) `

// postgresDown are the processes of a host and those that they come to, with how many steps it takes.
const postgresDown = `WITH RECURSIVE w(id, d) AS (
	SELECT e.dst, 1 FROM nodes n JOIN edges e ON e.src = n.id AND e.kind = 'has' WHERE n.name = $1
	UNION SELECT r.dst, w.d + 1 FROM w JOIN edges e ON e.src = w.id AND e.kind = 'depends_on' JOIN edges r ON r.src = e.dst AND r.kind = 'runs_as' WHERE w.d < $2)
`

// postgresUp are a service and those that come to it, likewise.
const postgresUp = `WITH RECURSIVE w(id, d) AS (
	SELECT id, 1 FROM nodes WHERE name = $1
	UNION SELECT r.src, w.d + 1 FROM w JOIN edges e ON e.dst = w.id AND e.kind = 'depends_on' JOIN edges r ON r.dst = e.src AND r.kind = 'runs_as' WHERE w.d < $2)
`

var postgresStatements = map[string]string{
	"nodes near": postgresNear + `SELECT n.name, n.attrs FROM c JOIN nodes n ON n.id = c.id`,
	"edges near": postgresNear + `SELECT e.name, e.attrs FROM c JOIN edges e ON e.src = c.id JOIN c d ON d.id = e.dst`,
	"down":       postgresDown + `SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x JOIN edges e ON e.src = x.id AND e.kind = 'depends_on'`,
	"reach down": postgresDown + `SELECT e.name, x.d FROM (SELECT id, min(d) d FROM w GROUP BY id) x JOIN edges e ON e.src = x.id AND e.kind = 'depends_on'`,
	"up":         postgresUp + `SELECT e.name, e.attrs FROM (SELECT DISTINCT id FROM w) x JOIN edges e ON e.dst = x.id AND e.kind = 'depends_on'`,
	"reach up":   postgresUp + `SELECT e.name, x.d FROM (SELECT id, min(d) d FROM w GROUP BY id) x JOIN edges e ON e.dst = x.id AND e.kind = 'depends_on'`,
	"impact": postgresFalling + `SELECT n.name, n.kind FROM f JOIN nodes n ON n.id = f.id WHERE n.name <> $1 AND n.kind NOT IN ('switchport', 'interface')
	AND NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))`,
	"point": postgresFalling + `SELECT count(*) FILTER (WHERE n.kind = 'host'), count(*) FILTER (WHERE n.kind = 'service') FROM f JOIN nodes n ON n.id = f.id, (SELECT * FROM nodes WHERE name = $1) s
	WHERE n.id <> s.id AND NOT (s.kind = 'host' AND n.host IS NOT DISTINCT FROM s.host)`,
	"path": `WITH RECURSIVE b(id, d) AS (SELECT id, 0 FROM nodes WHERE name = $1 UNION SELECT ways.dst, b.d + 1 FROM b JOIN ways ON ways.src = b.id WHERE b.d < 16)
SELECT d FROM b WHERE id = (SELECT id FROM nodes WHERE name = $2) LIMIT 1`,
	"cause": `WITH RECURSIVE s(id) AS (SELECT n.id FROM unnest($1::text[]) j(name) JOIN nodes n ON n.name = j.name),
up(symptom, id) AS (SELECT id, id FROM s UNION SELECT up.symptom, falls.src FROM up JOIN falls ON falls.dst = up.id),
cand(id) AS (SELECT id FROM up GROUP BY id HAVING count(*) = (SELECT count(*) FROM s)),
down(cand, id) AS (SELECT c.id, c.id FROM cand c JOIN nodes n ON n.id = c.id
	WHERE NOT (n.kind = 'process' AND EXISTS (SELECT 1 FROM edges e WHERE e.dst = n.id AND e.kind = 'runs_as'))
	UNION SELECT down.cand, falls.dst FROM down JOIN falls ON falls.src = down.id)
SELECT n.name, count(*) - 1 FROM down JOIN nodes n ON n.id = down.cand GROUP BY n.name`,
	"diff": `SELECT 'came', n.name FROM things_now n WHERE NOT EXISTS (SELECT 1 FROM things_then t WHERE t.name = n.name)
	UNION ALL SELECT 'went', t.name FROM things_then t WHERE NOT EXISTS (SELECT 1 FROM things_now n WHERE n.name = t.name)
	UNION ALL SELECT 'changed', n.name FROM things_now n JOIN things_then t ON t.name = n.name WHERE t.facts <> n.facts`,
	"update": `UPDATE edges SET connections = connections + 1 WHERE id = ANY($1)`,
	"ids":    `SELECT id FROM edges WHERE kind = 'depends_on' ORDER BY id LIMIT $1`,
}
