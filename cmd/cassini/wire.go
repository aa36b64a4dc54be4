package main

import (
	"context"
	"fmt"
	"os"

	"cassini/agent"
	"cassini/bpf"
	"cassini/model"
)

// servers are what the server commands run.
func servers() map[string]serveFunc {
	return map[string]serveFunc{"run": serveRun, "agent": serveAgent, "manager": serveManager}
}

// newAgentOf makes the agent of this machine.
func newAgentOf(cfg serveConfig, sink model.Sink, rings agent.Rings) *agent.Agent {
	return agent.New(agent.Config{
		Host: cfg.Host, CopyOf: cfg.CopyOf, Doubted: cfg.Doubted, DataDir: cfg.DataDir, Version: cfg.Build.Version, Rings: rings,
		LivenessOnly: cfg.LivenessOnly, WithoutUnix: cfg.WithoutUnix, UnixBytes: cfg.UnixBytes, Thrifty: cfg.Thrifty,
		Limits: bpf.Limits{Edges: cfg.Tables.edges, Connections: cfg.Tables.connections, UDPBytes: cfg.UDPBytes}, Logger: cfg.Logger,
	}, sink)
}

// localProbe looks at this kernel. Somebody who may not look gets an error rather
// than a list in which nothing is served.
func localProbe(ctx context.Context) ([]model.Hook, error) {
	hooks, err := agent.Doctor(ctx)
	if err != nil || os.Geteuid() == 0 || len(hooks) == 0 {
		return hooks, err
	}
	for _, h := range hooks {
		if h.Hook != "" {
			return hooks, nil
		}
	}
	return nil, fmt.Errorf("nothing can be attached: %s", hooks[0].Reason)
}
