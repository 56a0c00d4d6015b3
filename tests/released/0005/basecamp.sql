BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE attempt (
	run_id TEXT NOT NULL, 
	claim INTEGER NOT NULL, 
	attempt INTEGER NOT NULL, 
	started_at TEXT NOT NULL, 
	finished_at TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	error_message TEXT, 
	PRIMARY KEY (run_id, claim)
);
INSERT INTO "attempt" VALUES('run-20261123T183427-6aab9ce35126',1,1,'2026-11-23T18:34:27.426106+00:00','2026-11-23T18:34:27.533559+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183427-427efa0b3d06',1,1,'2026-11-23T18:34:27.613599+00:00','2026-11-23T18:34:27.666223+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183427-2765268188c8',1,1,'2026-11-23T18:34:27.666223+00:00','2026-11-23T18:34:27.704249+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183431-bcd34676f47b',1,1,'2026-11-23T18:34:31.050242+00:00','2026-11-23T18:34:33.964680+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183431-6a53444cc5c9',1,1,'2026-11-23T18:34:33.964680+00:00','2026-11-23T18:34:34.005012+00:00','COMPLETED',NULL);
INSERT INTO "attempt" VALUES('run-20261123T183431-c8838dfebb8f',1,1,'2026-11-23T18:34:34.005012+00:00','2026-11-23T18:34:34.035259+00:00','COMPLETED',NULL);
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	action TEXT NOT NULL, 
	resource TEXT NOT NULL, 
	request_id TEXT, 
	reason TEXT, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "audit" VALUES(1,'2026-11-23T18:34:26.917332+00:00','local','workflow.register','local.old.both','a7760bd46539ead46b29ee02',NULL,'{"outcome": "added"}');
INSERT INTO "audit" VALUES(2,'2026-11-23T18:34:27.001259+00:00','local','workflow.register','local.old.manual','4c62759d17f83a17af42b317',NULL,'{"outcome": "added"}');
INSERT INTO "audit" VALUES(3,'2026-11-23T18:34:27.065250+00:00','local','workflow.register','local.old.paused','7db8c510bbb6a69cc8daec42',NULL,'{"outcome": "added"}');
INSERT INTO "audit" VALUES(4,'2026-11-23T18:34:27.121077+00:00','local','workflow.register','local.old.late','44e1c9b6da5a0f892e1a02be',NULL,'{"outcome": "added"}');
INSERT INTO "audit" VALUES(5,'2026-11-23T18:34:27.261105+00:00','local','code.put','local.old.both','c0aa9a64d22d0d62041665f0',NULL,'{}');
INSERT INTO "audit" VALUES(6,'2026-11-23T18:34:27.261105+00:00','local','code.put','local.old.busy','c0aa9a64d22d0d62041665f0',NULL,'{}');
INSERT INTO "audit" VALUES(7,'2026-11-23T18:34:27.261105+00:00','local','code.put','local.old.code','c0aa9a64d22d0d62041665f0',NULL,'{}');
INSERT INTO "audit" VALUES(8,'2026-11-23T18:34:27.261105+00:00','local','code.put','local.old.weekly','c0aa9a64d22d0d62041665f0',NULL,'{}');
INSERT INTO "audit" VALUES(9,'2026-11-23T18:34:27.261105+00:00','local','code.publish','first','c0aa9a64d22d0d62041665f0',NULL,'{"added": 4, "changed": 0, "removed": 0, "unchanged": 0}');
INSERT INTO "audit" VALUES(10,'2026-11-23T18:34:27.319182+00:00','local','dataset.register','local.old.registered','ad389fb9f090cf5e9731cf91',NULL,'{"version": 1}');
INSERT INTO "audit" VALUES(11,'2026-11-23T18:34:27.365544+00:00','local','workflow.pause','local.old.paused','30ea80c2635f2d2d47e8bffe','waits for the bank','{"until": null}');
INSERT INTO "audit" VALUES(12,'2026-11-23T18:34:27.382114+00:00','local','workflow.pause','local.old.weekly','1b16223c0f58810b6acde792','too early','{"until": null}');
INSERT INTO "audit" VALUES(13,'2026-11-23T18:34:27.403722+00:00','local','run.start','local.old.manual','783b9e81aedee323a72283ed',NULL,'{"run_id": "run-20261123T183427-6aab9ce35126"}');
INSERT INTO "audit" VALUES(14,'2026-11-23T18:34:27.591170+00:00','local','backfill.start','local.old.code','2c7269c42e7f3cf5250057e5',NULL,'{"run_id": "backfill-20261123T183427-4982613df981", "runs": 2}');
INSERT INTO "audit" VALUES(15,'2026-11-23T18:34:27.770462+00:00','local','workflow.unpause','local.old.weekly','c9204314f1dd0ad58071f35f',NULL,'{}');
INSERT INTO "audit" VALUES(16,'2026-11-23T18:34:34.061151+00:00','local','run.start','local.old.manual','fd6ee3f605eb291005463ec7',NULL,'{"run_id": "run-20261123T183434-83bfbc7a4949"}');
INSERT INTO "audit" VALUES(17,'2026-11-23T18:34:34.145602+00:00','local','run.start','local.old.manual','d565687f891e22c555670d01',NULL,'{"run_id": "run-20261123T183434-7e0a66998102"}');
INSERT INTO "audit" VALUES(18,'2026-11-23T18:35:04.245365+00:00','local','backfill.start','local.old.busy','05d975358b8d3af121a48278',NULL,'{"run_id": "backfill-20261123T183504-fd5b6929198d", "runs": 4}');
INSERT INTO "audit" VALUES(19,'2026-11-23T18:35:04.301319+00:00','local','run.start','local.old.late','202c24897233cad1fe9419af',NULL,'{"run_id": "run-20261123T183504-2c6aea87f01d"}');
INSERT INTO "audit" VALUES(20,'2026-11-23T18:35:04.333270+00:00','local','run.stop','run-20261123T183504-2c6aea87f01d','3bcdf1a09d6cdda6f91afb63','wrong day','{}');
CREATE TABLE backfill (
	backfill_id TEXT NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	start_date DATE NOT NULL, 
	end_date DATE NOT NULL, 
	total_runs INTEGER NOT NULL, 
	completed_runs INTEGER NOT NULL, 
	triggered_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	error_message TEXT, 
	stop_reason TEXT, 
	PRIMARY KEY (backfill_id)
);
INSERT INTO "backfill" VALUES('backfill-20261123T183427-4982613df981','local.old.code','code','COMPLETED','{}','2026-01-01','2026-01-02',2,2,'local','2026-11-23T18:34:27.591170+00:00','2026-11-23T18:34:27.613599+00:00','2026-11-23T18:34:27.704249+00:00',NULL,NULL);
INSERT INTO "backfill" VALUES('backfill-20261123T183504-fd5b6929198d','local.old.busy','code','RUNNING','{}','2026-02-01','2026-02-04',4,0,'local','2026-11-23T18:35:04.245365+00:00','2026-11-23T18:35:04.277178+00:00',NULL,NULL,NULL);
CREATE TABLE code_version (
	version TEXT NOT NULL, 
	published_by TEXT NOT NULL, 
	published_at TEXT NOT NULL, 
	spec_count INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "code_version" VALUES('first','local','2026-11-23T18:34:27.261105+00:00',4);
CREATE TABLE idempotency (
	scope_hash TEXT NOT NULL, 
	body_hash TEXT NOT NULL, 
	status INTEGER NOT NULL, 
	answer TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (scope_hash)
);
INSERT INTO "idempotency" VALUES('e9c3906294ae24ae0c2b36109b54fe6fcd5a9e41af809a1583e635b48150300b','a59c4e89dc4d3d9e40126ce4ba41bbdf523052340cd14a5c61ffe0f295bb16ca',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:34:27.403722Z", "data_interval_end": "2026-11-23T01:30:00Z", "data_interval_start": "2026-11-22T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-11-22T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {}, "rows_affected": null, "run_id": "run-20261123T183427-6aab9ce35126", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:34:27.403722+00:00');
INSERT INTO "idempotency" VALUES('5d4fdeb8a5e5c6bc82d9201b74b93493b48a4c230edf75c3b2daaf7f97567b45','c5de6ab47a634593954be90828140c14df00a4020ae255b2f43997cd0fee43bf',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:34:34.061151Z", "data_interval_end": "2026-03-02T01:30:00Z", "data_interval_start": "2026-03-01T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-03-01T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {"execution_date": "2026-03-01"}, "rows_affected": null, "run_id": "run-20261123T183434-83bfbc7a4949", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:34:34.061151+00:00');
INSERT INTO "idempotency" VALUES('93ed5e968a040dfd99ad43eca9800f9d33c3260fe5308067694e451f0a024fbd','d8d861ab58bcaca52e0af3ba07938b52df5973edb8aee1703886d319dc0bc833',202,'{"attempt": 0, "backfill_id": null, "created_at": "2026-11-23T18:34:34.145602Z", "data_interval_end": "2026-03-03T01:30:00Z", "data_interval_start": "2026-03-02T01:30:00Z", "dataset_name": "local.old.manual", "duration_seconds": null, "error_message": null, "finished_at": null, "logical_date": "2026-03-02T01:30:00Z", "max_attempts": 2, "message": "The run is queued.", "parameters": {"execution_date": "2026-03-02"}, "rows_affected": null, "run_id": "run-20261123T183434-7e0a66998102", "run_type": "adhoc", "source_type": "manual", "started_at": null, "status": "PENDING", "stop_reason": null, "stopped_by": null, "triggered_by": "local"}','2026-11-23T18:34:34.145602+00:00');
INSERT INTO "idempotency" VALUES('ad9d57c5bc969eb42fe927e5f87c5dd588acecef618bbfc353254e0d69f09891','a01cafe1e61f0d4e212b241899160e0909ee20eb04035a670191934d51f826de',202,'{"completed_runs": 0, "created_at": "2026-11-23T18:35:04.245365Z", "dataset_name": "local.old.busy", "duration_seconds": null, "end_date": "2026-02-04", "error_message": null, "finished_at": null, "message": "4 runs are planned, one after the other.", "parameters": {}, "run_id": "backfill-20261123T183504-fd5b6929198d", "run_type": "backfill", "runs": [{"date": "2026-02-01", "run_id": "run-20261123T183504-4a20160b1792", "status": "PENDING"}, {"date": "2026-02-02", "run_id": "run-20261123T183504-6dd083f1e559", "status": "PENDING"}, {"date": "2026-02-03", "run_id": "run-20261123T183504-99fc59edaf41", "status": "PENDING"}, {"date": "2026-02-04", "run_id": "run-20261123T183504-4180f7ac5c29", "status": "PENDING"}], "source_type": "code", "start_date": "2026-02-01", "started_at": null, "status": "PENDING", "stop_reason": null, "total_runs": 4, "triggered_by": "local"}','2026-11-23T18:35:04.245365+00:00');
CREATE TABLE leader (
	id INTEGER NOT NULL, 
	holder TEXT NOT NULL, 
	term INTEGER NOT NULL, 
	until TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE message (
	id INTEGER NOT NULL, 
	target TEXT NOT NULL, 
	title TEXT NOT NULL, 
	body TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	created_at TEXT NOT NULL, 
	next_try_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE quality_schedule (
	name TEXT NOT NULL, 
	spec_hash TEXT NOT NULL, 
	cron TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	next_fire_at TEXT, 
	pending_at TEXT, 
	attempt INTEGER NOT NULL, 
	try_at TEXT, 
	PRIMARY KEY (name)
);
CREATE TABLE registration (
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	spec_hash TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	team TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	author TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (kind, name, version)
);
INSERT INTO "registration" VALUES('dataset','local.old.registered',1,'11332a0d24f4b4e0d650f8164c75952ca0286f7ba4d0ab9c744775b8b87ed020','ana@example.com','reliability','','[]','local','2026-11-23T18:34:27.319182+00:00');
CREATE TABLE run (
	seq INTEGER NOT NULL, 
	run_id TEXT NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	run_type TEXT NOT NULL, 
	parameters TEXT NOT NULL, 
	interval_start TEXT NOT NULL, 
	interval_end TEXT NOT NULL, 
	scheduled_for TEXT, 
	timezone TEXT NOT NULL, 
	spec_hash TEXT NOT NULL, 
	backfill_id TEXT, 
	triggered_by TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	started_at TEXT, 
	finished_at TEXT, 
	attempt INTEGER NOT NULL, 
	max_attempts INTEGER NOT NULL, 
	retry_delay_seconds INTEGER NOT NULL, 
	retry_at TEXT, 
	timeout_seconds INTEGER NOT NULL, 
	claim INTEGER NOT NULL, 
	crashes INTEGER NOT NULL, 
	rows_affected BIGINT, 
	error_code TEXT, 
	error_message TEXT, 
	stop_reason TEXT, 
	stopped_by TEXT, 
	PRIMARY KEY (seq), 
	CONSTRAINT run_scheduled_once UNIQUE (dataset_name, scheduled_for), 
	UNIQUE (run_id)
);
INSERT INTO "run" VALUES(1,'run-20261123T183427-6aab9ce35126','local.old.manual','manual','COMPLETED','adhoc','{}','2026-11-22T01:30:00.000000+00:00','2026-11-23T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:34:27.403722+00:00','2026-11-23T18:34:27.426106+00:00','2026-11-23T18:34:27.533559+00:00',1,2,1,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(2,'run-20261123T183427-427efa0b3d06','local.old.code','code','COMPLETED','backfill','{}','2026-01-01T03:00:00.000000+00:00','2026-01-02T03:00:00.000000+00:00',NULL,'UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','backfill-20261123T183427-4982613df981','backfill','2026-11-23T18:34:27.591170+00:00','2026-11-23T18:34:27.613599+00:00','2026-11-23T18:34:27.666223+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(3,'run-20261123T183427-2765268188c8','local.old.code','code','COMPLETED','backfill','{}','2026-01-02T03:00:00.000000+00:00','2026-01-03T03:00:00.000000+00:00',NULL,'UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','backfill-20261123T183427-4982613df981','backfill','2026-11-23T18:34:27.591170+00:00','2026-11-23T18:34:27.666223+00:00','2026-11-23T18:34:27.704249+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(4,'run-20261123T183431-bcd34676f47b','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-01T15:00:00.000000+00:00','2026-11-08T15:00:00.000000+00:00','2026-11-01T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:34:31.050242+00:00','2026-11-23T18:34:31.050242+00:00','2026-11-23T18:34:33.964680+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(5,'run-20261123T183431-6a53444cc5c9','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-08T15:00:00.000000+00:00','2026-11-15T15:00:00.000000+00:00','2026-11-08T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:34:31.050242+00:00','2026-11-23T18:34:33.964680+00:00','2026-11-23T18:34:34.005012+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(6,'run-20261123T183431-c8838dfebb8f','local.old.weekly','code','COMPLETED','scheduled','{}','2026-11-15T15:00:00.000000+00:00','2026-11-22T15:00:00.000000+00:00','2026-11-15T15:00:00.000000+00:00','Asia/Seoul','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',NULL,'scheduler','2026-11-23T18:34:31.050242+00:00','2026-11-23T18:34:34.005012+00:00','2026-11-23T18:34:34.035259+00:00',1,1,300,NULL,3600,1,0,1,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(7,'run-20261123T183434-83bfbc7a4949','local.old.manual','manual','RUNNING','adhoc','{"execution_date": "2026-03-01"}','2026-03-01T01:30:00.000000+00:00','2026-03-02T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:34:34.061151+00:00','2026-11-23T18:34:34.071448+00:00',NULL,1,2,1,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(8,'run-20261123T183434-7e0a66998102','local.old.manual','manual','PENDING','adhoc','{"execution_date": "2026-03-02"}','2026-03-02T01:30:00.000000+00:00','2026-03-03T01:30:00.000000+00:00',NULL,'UTC','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',NULL,'local','2026-11-23T18:34:34.145602+00:00',NULL,NULL,0,2,1,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(9,'run-20261123T183504-1fd08278ba41','local.old.code','code','RUNNING','scheduled','{}','2026-11-22T03:00:00.000000+00:00','2026-11-23T03:00:00.000000+00:00','2026-11-22T03:00:00.000000+00:00','UTC','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18',NULL,'scheduler','2026-11-23T18:35:04.164900+00:00','2026-11-23T18:35:04.164900+00:00',NULL,1,1,300,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(10,'run-20261123T183504-4a20160b1792','local.old.busy','code','RUNNING','backfill','{}','2026-02-01T05:00:00.000000+00:00','2026-02-02T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183504-fd5b6929198d','backfill','2026-11-23T18:35:04.245365+00:00','2026-11-23T18:35:04.277178+00:00',NULL,1,1,300,NULL,3600,1,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(11,'run-20261123T183504-6dd083f1e559','local.old.busy','code','PENDING','backfill','{}','2026-02-02T05:00:00.000000+00:00','2026-02-03T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183504-fd5b6929198d','backfill','2026-11-23T18:35:04.245365+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(12,'run-20261123T183504-99fc59edaf41','local.old.busy','code','PENDING','backfill','{}','2026-02-03T05:00:00.000000+00:00','2026-02-04T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183504-fd5b6929198d','backfill','2026-11-23T18:35:04.245365+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(13,'run-20261123T183504-4180f7ac5c29','local.old.busy','code','PENDING','backfill','{}','2026-02-04T05:00:00.000000+00:00','2026-02-05T05:00:00.000000+00:00',NULL,'UTC','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','backfill-20261123T183504-fd5b6929198d','backfill','2026-11-23T18:35:04.245365+00:00',NULL,NULL,0,1,300,NULL,3600,0,0,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "run" VALUES(14,'run-20261123T183504-2c6aea87f01d','local.old.late','manual','KILLED','adhoc','{"execution_date": "2026-03-03"}','2026-03-03T05:00:00.000000+00:00','2026-03-04T05:00:00.000000+00:00',NULL,'UTC','f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4',NULL,'local','2026-11-23T18:35:04.301319+00:00','2026-11-23T18:35:04.317578+00:00','2026-11-23T18:35:04.333270+00:00',1,2,1,NULL,3600,1,0,NULL,NULL,NULL,'wrong day','local');
CREATE TABLE skipped_tick (
	id INTEGER NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	first_at TEXT NOT NULL, 
	last_at TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	reason TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE spec (
	hash TEXT NOT NULL, 
	content TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	PRIMARY KEY (hash)
);
INSERT INTO "spec" VALUES('127f22a8f522f71bf320120f87e8bb746a8fcac02396a13408ead0084131a842','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.both", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.both (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.both SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 4 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:26.917332+00:00');
INSERT INTO "spec" VALUES('0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.manual", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.manual (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.manual SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "30 1 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.001259+00:00');
INSERT INTO "spec" VALUES('d8f466b44b733ab8599583c5628cd74349f1e3320165011b1204e95dcd5ec064','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.paused", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.paused (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.paused SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 * * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.065250+00:00');
INSERT INTO "spec" VALUES('f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.late", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.late (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.late SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 5 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 1, "max_attempts": 2}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.121077+00:00');
INSERT INTO "spec" VALUES('80e4ffb710754284338c8e117bbbbb4af8ee86704ba96816754d611e28bf6099','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.both", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.both (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.both SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 4 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "spec" VALUES('0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.busy", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.busy (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.busy SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 5 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "spec" VALUES('a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.code", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.code (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.code SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 3 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "spec" VALUES('73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.weekly", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.weekly (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.weekly SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": true, "cron": "0 0 * * 1", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "Asia/Seoul"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "spec" VALUES('11332a0d24f4b4e0d650f8164c75952ca0286f7ba4d0ab9c744775b8b87ed020','{"depends_on": [], "description": "", "domains": [], "execution": {"dialect": "duckdb", "retry_count": 2, "retry_delay_seconds": 60, "timeout_seconds": 3600}, "name": "local.old.registered", "owner": "ana@example.com", "parameters": [], "post_statements": [], "pre_statements": [{"continue_on_error": false, "name": "table", "sql": "CREATE TABLE IF NOT EXISTS local.old.registered (ds DATE, run_id TEXT)"}], "query_statement": "INSERT INTO local.old.registered SELECT ''{{ ds }}'', ''{{ run_id }}''", "query_type": "DML", "schedule": {"catchup": false, "cron": "0 6 * * *", "enabled": true, "notifications": {"on_failure": [], "on_source_change": [], "on_success": []}, "retry": {"delay_seconds": 300, "max_attempts": 1}, "timezone": "UTC"}, "schema": [], "tags": [], "team": "reliability", "type": "Dataset", "versions": []}','2026-11-23T18:34:27.319182+00:00');
CREATE TABLE tally (
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	run_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (dataset_name, source_type, run_type, status)
);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','PENDING',1);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.manual','manual','adhoc','COMPLETED',1);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','PENDING',0);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.code','code','backfill','COMPLETED',2);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','PENDING',0);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.weekly','code','scheduled','COMPLETED',3);
INSERT INTO "tally" VALUES('local.old.code','code','scheduled','PENDING',0);
INSERT INTO "tally" VALUES('local.old.code','code','scheduled','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.busy','code','backfill','PENDING',3);
INSERT INTO "tally" VALUES('local.old.busy','code','backfill','RUNNING',1);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','PENDING',0);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','RUNNING',0);
INSERT INTO "tally" VALUES('local.old.late','manual','adhoc','KILLED',1);
CREATE TABLE workflow (
	id INTEGER NOT NULL, 
	dataset_name TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	status TEXT NOT NULL, 
	paused BOOLEAN NOT NULL, 
	cron TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	catchup BOOLEAN NOT NULL, 
	next_fire_at TEXT, 
	spec_hash TEXT NOT NULL, 
	spec_enabled BOOLEAN NOT NULL, 
	stored BOOLEAN NOT NULL, 
	owner TEXT NOT NULL, 
	team TEXT NOT NULL, 
	description TEXT NOT NULL, 
	tags TEXT NOT NULL, 
	retry_max_attempts INTEGER NOT NULL, 
	retry_delay_seconds INTEGER NOT NULL, 
	timeout_seconds INTEGER NOT NULL, 
	last_run_at TEXT, 
	last_run_status TEXT, 
	pause_reason TEXT, 
	paused_by TEXT, 
	pause_until TEXT, 
	error TEXT, 
	created_at TEXT NOT NULL, 
	updated_at TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT workflow_name_source UNIQUE (dataset_name, source_type)
);
INSERT INTO "workflow" VALUES(1,'local.old.both','manual','overridden',0,'0 4 * * *','UTC',0,NULL,'127f22a8f522f71bf320120f87e8bb746a8fcac02396a13408ead0084131a842',1,1,'ana@example.com','reliability','','[]',2,1,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:34:26.917332+00:00','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "workflow" VALUES(2,'local.old.manual','manual','active',0,'30 1 * * *','UTC',0,'2026-11-24T01:30:00.000000+00:00','0dbae43953ffb4fb7d25ef0c719239893e47f9b4709af8524d9733b36d49333e',1,1,'ana@example.com','reliability','','[]',2,1,3600,'2026-11-23T18:34:27.426106+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.001259+00:00','2026-11-23T18:34:27.001259+00:00');
INSERT INTO "workflow" VALUES(3,'local.old.paused','manual','paused',1,'0 * * * *','UTC',0,NULL,'d8f466b44b733ab8599583c5628cd74349f1e3320165011b1204e95dcd5ec064',1,1,'ana@example.com','reliability','','[]',2,1,3600,NULL,NULL,'waits for the bank','local',NULL,NULL,'2026-11-23T18:34:27.065250+00:00','2026-11-23T18:34:27.365544+00:00');
INSERT INTO "workflow" VALUES(4,'local.old.late','manual','active',0,'0 5 * * *','UTC',0,'2026-11-24T05:00:00.000000+00:00','f6dcf7e62c1c20ebe791769b02a7e872f1a2def6ca442eb0fa7d4c2d416268b4',1,1,'ana@example.com','reliability','','[]',2,1,3600,'2026-11-23T18:35:04.317578+00:00','KILLED',NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.121077+00:00','2026-11-23T18:34:27.121077+00:00');
INSERT INTO "workflow" VALUES(5,'local.old.both','code','active',0,'0 4 * * *','UTC',0,'2026-11-24T04:00:00.000000+00:00','80e4ffb710754284338c8e117bbbbb4af8ee86704ba96816754d611e28bf6099',1,1,'ana@example.com','reliability','','[]',1,300,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.261105+00:00','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "workflow" VALUES(6,'local.old.busy','code','active',0,'0 5 * * *','UTC',0,'2026-11-24T05:00:00.000000+00:00','0a61ddbb8c1015eb23aca54e61fa647c3d6b0beabcd09f85561df69663707e9b',1,1,'ana@example.com','reliability','','[]',1,300,3600,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.261105+00:00','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "workflow" VALUES(7,'local.old.code','code','active',0,'0 3 * * *','UTC',0,'2026-11-24T03:00:00.000000+00:00','a2c50e517b30fb464f4d22f79a30b2385ff0b18f4b920be574c5891376509d18',1,1,'ana@example.com','reliability','','[]',1,300,3600,'2026-11-23T18:34:27.666223+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.261105+00:00','2026-11-23T18:34:27.261105+00:00');
INSERT INTO "workflow" VALUES(8,'local.old.weekly','code','active',0,'0 0 * * 1','Asia/Seoul',1,'2026-11-29T15:00:00.000000+00:00','73ab54b6c6aa0f76e998ddefa15ca604c0145d49b509b52077b1eac9fe2bff8f',1,1,'ana@example.com','reliability','','[]',1,300,3600,'2026-11-23T18:34:34.005012+00:00','COMPLETED',NULL,NULL,NULL,NULL,'2026-11-23T18:34:27.261105+00:00','2026-11-23T18:34:27.770462+00:00');
CREATE INDEX workflow_status ON workflow (status, dataset_name);
CREATE INDEX workflow_due ON workflow (next_fire_at);
CREATE INDEX workflow_pause_until ON workflow (pause_until);
CREATE INDEX run_by_status ON run (status, seq);
CREATE INDEX run_by_backfill ON run (backfill_id, seq);
CREATE INDEX run_by_creation ON run (created_at);
CREATE INDEX run_queue ON run (status, dataset_name, seq);
CREATE INDEX run_by_dataset ON run (dataset_name, seq);
CREATE INDEX backfill_by_dataset ON backfill (dataset_name, created_at);
CREATE INDEX skipped_tick_by_dataset ON skipped_tick (dataset_name, id);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
CREATE INDEX audit_by_resource ON audit (resource, id);
CREATE INDEX message_due ON message (next_try_at);
COMMIT;
