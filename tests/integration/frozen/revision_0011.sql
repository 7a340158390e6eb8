BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0011');
CREATE TABLE chains (
	task_name TEXT NOT NULL, 
	upstream_name TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	CONSTRAINT chains_key PRIMARY KEY (task_name, upstream_name)
)
 WITHOUT ROWID

;
INSERT INTO "chains" VALUES('report','extract','01a22207-4700-7abc-8000-000000000020');
CREATE TABLE deleted (
	run_id TEXT NOT NULL, 
	at BIGINT NOT NULL, 
	run TEXT NOT NULL, 
	CONSTRAINT deleted_key PRIMARY KEY (run_id)
);
INSERT INTO "deleted" VALUES('01a22207-6640-7abc-8000-000000000028',1795867200000000,'{"id": "01a22207-6640-7abc-8000-000000000028", "kind": "job", "status": "ended", "end_reason": "success", "exit_code": 0, "triggered_by": "cli", "params": "{}", "created_at": 1795867240000000, "start_at": 1795867240000000, "end_at": 1795867242000000, "duration": 2000003, "retry_attempt": 0, "pid": 4040, "cpu_time": 40000, "max_rss": 9437184, "node": "local", "attempt": "4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f", "keeper_id": "keeper-7", "boot_id": "9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a", "command": "\"true\"", "cwd": "/", "tags": "[\"ci\"]", "stdin": "none", "pty": 0, "is_failure": 0}');
INSERT INTO "deleted" VALUES('01a22207-6a28-7abc-8000-000000000029',1795867200000000,'{"id": "01a22207-6a28-7abc-8000-000000000029", "kind": "task", "task_name": "backup", "status": "ended", "end_reason": "failed", "exit_code": 2, "triggered_by": "cron", "params": "{}", "created_at": 1795867241000000, "start_at": 1795867241000000, "end_at": 1795867243000000, "duration": 2000003, "retry_attempt": 0, "pid": 4041, "cpu_time": 40000, "max_rss": 9437184, "node": "local", "attempt": "4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f", "keeper_id": "keeper-7", "boot_id": "9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a", "revision": 2, "is_failure": 1}');
CREATE TABLE instances (
	service TEXT NOT NULL, 
	instance_index INTEGER NOT NULL, 
	run_id TEXT, 
	was_healthy INTEGER NOT NULL, 
	ill_run_id TEXT, 
	failures INTEGER NOT NULL, 
	restarts INTEGER NOT NULL, 
	at_rest TEXT, 
	CONSTRAINT instances_key PRIMARY KEY (service, instance_index), 
	CONSTRAINT instances_instance_index_counts_from_0 CHECK (instance_index >= 0), 
	CONSTRAINT instances_at_rest_is_known CHECK (at_rest IN ('done', 'gave_up'))
)
 WITHOUT ROWID

;
INSERT INTO "instances" VALUES('mail',0,NULL,0,NULL,0,0,'done');
INSERT INTO "instances" VALUES('web',0,'01a22207-27c0-7abc-8000-000000000018',1,NULL,0,2,NULL);
INSERT INTO "instances" VALUES('web',1,'01a22207-00b0-7abc-8000-00000000000e',0,'01a22207-00b0-7abc-8000-00000000000e',10,0,'gave_up');
CREATE TABLE logs (
	run_id TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	removed_at BIGINT, 
	CONSTRAINT logs_key PRIMARY KEY (run_id), 
	CONSTRAINT logs_size_is_of_a_log CHECK (size > 0)
)
 WITHOUT ROWID

;
INSERT INTO "logs" VALUES('01a22207-3f30-7abc-8000-00000000001e',70000,NULL);
INSERT INTO "logs" VALUES('01a22207-4700-7abc-8000-000000000020',512,1795867200000000);
CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT meta_key PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('store_id','7f0c2b1e-5a53-4c57-9c0e-3d1f5b8a6e21');
INSERT INTO "meta" VALUES('services_boot','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a');
INSERT INTO "meta" VALUES('horizon','1795867380000000');
INSERT INTO "meta" VALUES('keeper','keeper-7');
INSERT INTO "meta" VALUES('next_event_id','101');
CREATE TABLE pauses (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	reason TEXT, 
	actor_kind TEXT, 
	actor_name TEXT, 
	via TEXT NOT NULL, 
	since BIGINT NOT NULL, 
	resumed_at BIGINT, 
	CONSTRAINT pauses_key PRIMARY KEY (kind, name), 
	CONSTRAINT pauses_kind_is_known CHECK (kind IN ('task', 'group', 'all')), 
	CONSTRAINT pauses_actor_kind_is_known CHECK (actor_kind IN ('user', 'mcp')), 
	CONSTRAINT pauses_via_is_known CHECK (via IN ('cron', 'api', 'ui', 'cli', 'tui', 'mcp', 'webhook', 'startup', 'catch_up', 'retry', 'upstream', 'service', 'subscription')), 
	CONSTRAINT pauses_all_has_no_name CHECK ((kind = 'all') = (name = '')), 
	CONSTRAINT pauses_actor_is_whole CHECK ((actor_kind IS NULL) = (actor_name IS NULL))
)
 WITHOUT ROWID

;
INSERT INTO "pauses" VALUES('all','','moving house','user','ann','cli',1795856400000000,1795860000000000);
INSERT INTO "pauses" VALUES('group','nightly',NULL,NULL,NULL,'api',1795867200000000,NULL);
INSERT INTO "pauses" VALUES('task','backup','the disk is full','mcp','claude-desktop','mcp',1795867201000000,NULL);
CREATE TABLE removals (
	run_id TEXT NOT NULL, 
	CONSTRAINT removals_key PRIMARY KEY (run_id)
)
 WITHOUT ROWID

;
INSERT INTO "removals" VALUES('01a22207-6e10-7abc-8000-00000000002a');
CREATE TABLE requests (
	"key" TEXT NOT NULL, 
	method TEXT NOT NULL, 
	path TEXT NOT NULL, 
	body_hash TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	status_code INTEGER NOT NULL, 
	at BIGINT NOT NULL, 
	CONSTRAINT requests_key PRIMARY KEY ("key")
);
INSERT INTO "requests" VALUES('k-1','POST','/api/tasks/backup/run','5d41402a','01a22207-1c08-7abc-8000-000000000015',201,1795867200000000);
CREATE TABLE revisions (
	name TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	since BIGINT NOT NULL, 
	definition TEXT NOT NULL, 
	CONSTRAINT revisions_key PRIMARY KEY (name, number), 
	CONSTRAINT revisions_number_counts_from_1 CHECK (number > 0)
)
 WITHOUT ROWID

;
INSERT INTO "revisions" VALUES('backup',1,1795780800000000,'{"name":"backup","run":"true"}');
INSERT INTO "revisions" VALUES('backup',2,1795867200000000,'{"name":"backup","run":"pg_dump shop","exit_codes":[0,3],"secrets":["PGPASSWORD"]}');
INSERT INTO "revisions" VALUES('clean',1,1795780800000000,'{"name":"clean","run":"true"}');
INSERT INTO "revisions" VALUES('extract',1,1795780800000000,'{"name":"extract","run":"true"}');
INSERT INTO "revisions" VALUES('flaky',1,1795780800000000,'{"name":"flaky","run":"true"}');
INSERT INTO "revisions" VALUES('report',1,1795780800000000,'{"name":"report","run":"true"}');
INSERT INTO "revisions" VALUES('web',1,1795780800000000,'{"name":"web","run":"true"}');
CREATE TABLE runs (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	task_name TEXT, 
	status TEXT NOT NULL, 
	end_reason TEXT, 
	exit_code INTEGER, 
	signal TEXT, 
	triggered_by TEXT NOT NULL, 
	params TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	scheduled_at BIGINT, 
	start_at BIGINT, 
	end_at BIGINT, 
	duration BIGINT, 
	retry_attempt INTEGER NOT NULL, 
	retry_of_run_id TEXT, 
	instance_index INTEGER, 
	pid INTEGER, 
	cpu_time BIGINT, 
	max_rss BIGINT, 
	message TEXT, 
	node TEXT NOT NULL, 
	attempt TEXT, 
	keeper_id TEXT, 
	boot_id TEXT, 
	name TEXT, 
	command TEXT, 
	cwd TEXT, 
	tags TEXT, 
	timeout BIGINT, 
	stdin TEXT, 
	pty INTEGER, 
	sealed TEXT, 
	actor_kind TEXT, 
	actor_name TEXT, due_at BIGINT, missed_ticks INTEGER CONSTRAINT runs_missed_ticks_are_some CHECK (missed_ticks > 0), missed_since BIGINT CONSTRAINT runs_a_gap_is_whole CHECK ((missed_ticks IS NULL) = (missed_since IS NULL) AND (missed_ticks IS NULL OR (scheduled_at IS NOT NULL AND end_reason = 'missed'))), limits TEXT, env TEXT, rerun_of_run_id TEXT, despite_pause TEXT, revision INTEGER CONSTRAINT runs_revision_is_of_a_hand_over CHECK (revision IS NULL OR (revision > 0 AND attempt IS NOT NULL)), is_failure INTEGER CONSTRAINT runs_an_end_is_judged CHECK (is_failure IS NULL OR (status = 'ended' AND is_failure IN (0, 1))), next_attempt_run_id TEXT, upstream_run_id TEXT, 
	CONSTRAINT runs_key PRIMARY KEY (id), 
	CONSTRAINT runs_kind_is_known CHECK (kind IN ('task', 'service', 'job')), 
	CONSTRAINT runs_status_is_known CHECK (status IN ('pending', 'running', 'ended')), 
	CONSTRAINT runs_end_reason_is_known CHECK (end_reason IN ('success', 'failed', 'timeout', 'stopped', 'skipped', 'queue_full', 'missed', 'start_failed', 'log_overflow', 'out_of_memory', 'lost')), 
	CONSTRAINT runs_triggered_by_is_known CHECK (triggered_by IN ('cron', 'api', 'ui', 'cli', 'tui', 'mcp', 'webhook', 'startup', 'catch_up', 'retry', 'upstream', 'service', 'subscription')), 
	CONSTRAINT runs_end_reason_is_of_an_end CHECK ((status = 'ended') = (end_reason IS NOT NULL)), 
	CONSTRAINT runs_end_at_is_of_an_end CHECK ((status = 'ended') = (end_at IS NOT NULL)), 
	CONSTRAINT runs_pending_has_no_process CHECK (status <> 'pending' OR (start_at IS NULL AND pid IS NULL)), 
	CONSTRAINT runs_running_has_a_process CHECK (status <> 'running' OR (start_at IS NOT NULL AND pid IS NOT NULL)), 
	CONSTRAINT runs_only_an_end_is_measured CHECK (status = 'ended' OR (exit_code IS NULL AND signal IS NULL AND duration IS NULL AND cpu_time IS NULL AND max_rss IS NULL)), 
	CONSTRAINT runs_exited_or_was_signalled CHECK (exit_code IS NULL OR signal IS NULL), 
	CONSTRAINT runs_hand_over_is_whole CHECK ((attempt IS NULL) = (keeper_id IS NULL) AND (attempt IS NULL) = (boot_id IS NULL)), 
	CONSTRAINT runs_retry_attempt_counts_from_0 CHECK (retry_attempt >= 0), 
	CONSTRAINT runs_instance_index_counts_from_0 CHECK (instance_index >= 0), 
	CONSTRAINT runs_stdin_is_known CHECK (stdin IN ('none', 'pipe')), 
	CONSTRAINT runs_actor_kind_is_known CHECK (actor_kind IN ('user', 'mcp')), 
	CONSTRAINT runs_job_is_whole CHECK ((kind = 'job') = (task_name IS NULL) AND (kind = 'job') = (command IS NOT NULL) AND (kind = 'job') = (cwd IS NOT NULL) AND (kind = 'job') = (stdin IS NOT NULL) AND (kind = 'job') = (pty IS NOT NULL)), 
	CONSTRAINT runs_only_a_job_defines_itself CHECK (kind = 'job' OR (name IS NULL AND tags IS NULL AND timeout IS NULL)), 
	CONSTRAINT runs_end_leaves_no_secret CHECK (status <> 'ended' OR sealed IS NULL), 
	CONSTRAINT runs_actor_is_whole CHECK ((actor_kind IS NULL) = (actor_name IS NULL))
);
INSERT INTO "runs" VALUES('01a22206-cde8-7abc-8000-000000000001','task','backup','ended','success',0,NULL,'cron','{}',1795867201000000,1795867200000000,1795867201000000,1795867203000000,2000003,0,NULL,NULL,4001,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795867201000000,NULL,NULL,NULL,NULL,NULL,NULL,2,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-d1d0-7abc-8000-000000000002','task','backup','ended','failed',NULL,'SIGSEGV','api','{}',1795867202000000,NULL,1795867202000000,1795867204000000,2000003,0,NULL,NULL,4002,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'user','ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-d5b8-7abc-8000-000000000003','task','backup','ended','timeout',NULL,'SIGKILL','ui','{}',1795867203000000,NULL,1795867203000000,1795867205000000,2000003,0,NULL,NULL,4003,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-d9a0-7abc-8000-000000000004','task','backup','ended','stopped',NULL,'SIGTERM','cli','{}',1795867204000000,NULL,1795867204000000,1795867206000000,2000003,0,NULL,NULL,4004,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'user','ann',NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-dd88-7abc-8000-000000000005','task','backup','ended','skipped',NULL,NULL,'cron','{}',1795867205000000,1795867205000000,NULL,1795867205000000,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'local',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-e170-7abc-8000-000000000006','task','backup','ended','queue_full',NULL,NULL,'webhook','{}',1795867206000000,NULL,NULL,1795867206000000,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'local',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-e558-7abc-8000-000000000007','task','backup','ended','missed',NULL,NULL,'cron','{}',1795867207000000,1795867200000000,NULL,1795867207000000,NULL,0,NULL,NULL,NULL,NULL,NULL,'Rota was not running','local',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,12,1795863600000000,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-e940-7abc-8000-000000000008','task','backup','ended','start_failed',NULL,NULL,'startup','{}',1795867208000000,NULL,NULL,1795867208000000,NULL,0,NULL,NULL,NULL,NULL,NULL,'there is no folder /srv/shop','local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-ed28-7abc-8000-000000000009','task','backup','ended','log_overflow',NULL,'SIGKILL','tui','{}',1795867209000000,NULL,1795867209000000,1795867211000000,2000003,0,NULL,NULL,4009,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-f110-7abc-8000-00000000000a','task','backup','ended','out_of_memory',NULL,'SIGKILL','mcp','{}',1795867210000000,NULL,1795867210000000,1795867212000000,2000003,0,NULL,NULL,4010,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'mcp','claude-desktop',NULL,NULL,NULL,'{"memory_max": [4194304, "cgroup"], "cpu_max": [0.5, "rlimit"], "tasks_max": [64, "nothing"]}',NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-f4f8-7abc-8000-00000000000b','task','backup','ended','lost',NULL,NULL,'catch_up','{}',1795867211000000,1795867199000000,1795867200000000,1795867211000000,NULL,0,NULL,NULL,4011,NULL,NULL,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-f8e0-7abc-8000-00000000000c','task','backup','ended','success',3,NULL,'subscription','{}',1795867212000000,NULL,1795867212000000,1795867214000000,2000003,0,NULL,NULL,4012,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'01a22206-d1d0-7abc-8000-000000000002','it was paused',2,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22206-fcc8-7abc-8000-00000000000d','job',NULL,'ended','success',0,NULL,'mcp','{}',1795867213000000,NULL,1795867213000000,1795867215000000,2000003,0,NULL,NULL,4013,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a','build','["make", "-k", "test"]','/srv/shop','["ci", "nightly"]',300000000,'pipe',1,NULL,'mcp','claude-desktop',NULL,NULL,NULL,NULL,'["TOKEN"]',NULL,NULL,NULL,0,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-0498-7abc-8000-00000000000f','task','publish','ended','success',0,NULL,'upstream','{}',1795867215000000,NULL,1795867215000000,1795867217000000,2000003,0,NULL,NULL,4015,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,0,NULL,'01a22206-cde8-7abc-8000-000000000001');
INSERT INTO "runs" VALUES('01a22207-00b0-7abc-8000-00000000000e','service','web','ended','failed',1,NULL,'service','{}',1795867214000000,NULL,1795867214000000,1795867216000000,2000003,0,NULL,1,4014,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,1,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-1820-7abc-8000-000000000014','task','backup','running',NULL,NULL,NULL,'cron','{}',1795867220000000,NULL,1795867200000000,NULL,NULL,0,NULL,NULL,4020,NULL,NULL,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-1ff0-7abc-8000-000000000016','task','backup','pending',NULL,NULL,NULL,'api','{}',1795867222000000,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,2,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-23d8-7abc-8000-000000000017','job',NULL,'pending',NULL,NULL,NULL,'api','{}',1795867223000000,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'local',NULL,NULL,NULL,NULL,'"sleep 60; echo \u00e4\u20ac"','/','["ci"]',NULL,'none',0,'v1:am9i','user','ann',NULL,NULL,NULL,NULL,'["A", "B"]',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-27c0-7abc-8000-000000000018','service','web','running',NULL,NULL,NULL,'service','{}',1795867224000000,NULL,1795867200000000,NULL,NULL,0,NULL,0,4024,NULL,NULL,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-1c08-7abc-8000-000000000015','task','backup','pending',NULL,NULL,NULL,'api','{"LEVEL": "low"}',1795867221000000,1795953600000000,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,'local',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-3f30-7abc-8000-00000000001e','task','flaky','ended','failed',3,NULL,'cron','{}',1795867230000000,NULL,1795867200000000,1795867232000000,2000003,0,NULL,NULL,4030,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1,'01a22207-4318-7abc-8000-00000000001f',NULL);
INSERT INTO "runs" VALUES('01a22207-4318-7abc-8000-00000000001f','task','flaky','pending',NULL,NULL,NULL,'retry','{"LEVEL": "high", "NOTE": null}',1795867231000000,1795867260000000,NULL,NULL,NULL,1,'01a22207-3f30-7abc-8000-00000000001e',NULL,NULL,NULL,NULL,NULL,'local',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'v1:c2VhbGVk',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "runs" VALUES('01a22207-4700-7abc-8000-000000000020','task','extract','ended','success',0,NULL,'cron','{}',1795867232000000,NULL,1795867200000000,1795867234000000,2000003,0,NULL,NULL,4032,40000,9437184,NULL,'local','4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f4f','keeper-7','9b2d7a60-0d0c-4f3e-8a57-5f8e2c1d4b3a',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,0,NULL,NULL);
CREATE TABLE services (
	name TEXT NOT NULL, 
	running INTEGER NOT NULL, 
	scale INTEGER, 
	stale TEXT, 
	rolling INTEGER NOT NULL, 
	declared INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	CONSTRAINT services_key PRIMARY KEY (name), 
	CONSTRAINT services_scale_is_of_instances CHECK (scale >= 1)
);
INSERT INTO "services" VALUES('web',1,2,'["01a22207-27c0-7abc-8000-000000000018"]',1,4,'w1');
INSERT INTO "services" VALUES('mail',0,NULL,NULL,0,1,'');
CREATE TABLE tags (
	tag TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	CONSTRAINT tags_key PRIMARY KEY (tag, run_id)
)
 WITHOUT ROWID

;
INSERT INTO "tags" VALUES('ci','01a22206-fcc8-7abc-8000-00000000000d');
INSERT INTO "tags" VALUES('ci','01a22207-23d8-7abc-8000-000000000017');
INSERT INTO "tags" VALUES('nightly','01a22206-fcc8-7abc-8000-00000000000d');
CREATE TABLE tasks (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	schedule_since BIGINT NOT NULL, 
	first_seen_at BIGINT NOT NULL
, revision INTEGER DEFAULT 0 NOT NULL, digest TEXT);
INSERT INTO "tasks" VALUES(1,'backup','b1',1795780800000000,1795780800000000,2,'415fa33b263725d21ad582a452afa7af');
INSERT INTO "tasks" VALUES(2,'flaky','f1',1795780800000000,1795780800000000,1,'634068109df64426f97494d65d3240af');
INSERT INTO "tasks" VALUES(3,'extract','e1',1795780800000000,1795780800000000,1,'a8c4cd93aac0fbefeefd04ac0a877506');
INSERT INTO "tasks" VALUES(4,'clean','c1',1795780800000000,1795780800000000,1,'7afdc55a5359e814ed8d50185ef00e9b');
INSERT INTO "tasks" VALUES(5,'report','r1',1795780800000000,1795780800000000,1,'a96ac136f9b3347afc549f01e275434a');
INSERT INTO "tasks" VALUES(6,'web','',1795780800000000,1795780800000000,1,'0bdcac7b380a6d9b7cafbedfe1fdbbfe');
CREATE TABLE waits (
	id TEXT NOT NULL, 
	wanted TEXT NOT NULL, 
	status TEXT NOT NULL, 
	outcome TEXT, 
	created_at BIGINT NOT NULL, 
	changed_at BIGINT NOT NULL, 
	CONSTRAINT waits_key PRIMARY KEY (id), 
	CONSTRAINT waits_wait_status_is_known CHECK (status IN ('open', 'over', 'cancelled')), 
	CONSTRAINT waits_outcome_is_of_what_is_over CHECK ((status = 'over') = (outcome IS NOT NULL))
);
INSERT INTO "waits" VALUES('w-open','{"run_id":"x"}','open',NULL,1795867200000000,1795867200000000);
INSERT INTO "waits" VALUES('w-over','{"run_id":"y"}','over','{"is":"over"}',1795867200000000,1795867200000000);
INSERT INTO "waits" VALUES('w-cancelled','{"run_id":"z"}','cancelled',NULL,1795867200000000,1795867200000000);
CREATE INDEX requests_by_age ON requests (at);
CREATE UNIQUE INDEX tasks_by_name ON tasks (name);
CREATE INDEX runs_by_task ON runs (task_name, id, triggered_by);
CREATE INDEX runs_open ON runs (id) WHERE end_reason IS NULL;
CREATE INDEX runs_by_trigger ON runs (triggered_by, id);
CREATE INDEX runs_by_kind ON runs (kind, id, triggered_by);
CREATE INDEX runs_by_name ON runs (name, id) WHERE name IS NOT NULL;
CREATE INDEX waits_by_age ON waits (created_at);
CREATE UNIQUE INDEX runs_one_per_tick ON runs (task_name, scheduled_at) WHERE triggered_by IN ('cron', 'catch_up') AND missed_ticks IS NULL;
CREATE UNIQUE INDEX runs_one_per_gap ON runs (task_name, scheduled_at) WHERE missed_ticks IS NOT NULL;
CREATE INDEX deleted_by_age ON deleted (at);
CREATE INDEX runs_by_end ON runs (end_reason, id, triggered_by, kind, is_failure) WHERE end_reason IS NOT NULL;
CREATE INDEX runs_by_task_and_end ON runs (task_name, end_reason, id, triggered_by, is_failure) WHERE end_reason IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('tasks',6);
COMMIT;
