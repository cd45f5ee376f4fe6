"""
Starts the emulator of AWS for the tests, with its omissions made good at start; nothing on disk is edited.

What of the stack version 1.5.33 leaves out, and what stands in here:
 - a Node handler's error keeps its name, which Retry and Catch in a workflow match (else always Runtime.HandlerError);
 - request validators of API Gateway exist, and methods name theirs, so that a body against the model gets 400;
 - access log settings of a stage, the time to live of a table, the tags of a bucket and the dead letter queue of a function
   are kept;
 - the key of a usage plan that an authorizer names is not asked for in the request;
 - a function has many times the time that its configuration says: here it shares two cores with everything else, a dozen
   starting processes among them, so that its time-out would tell how busy the machine is;
 - composite alarms, alarms over expressions and budgets, which it does not know, are taken and forgotten: what would ring is
   asserted on the template.

Where it is asked to enforce policies (`AUTH`), it holds each request against them as IAM does. What it leaves out there:
 - clients speak TLS to AWS, and policies deny whoever does not;
 - a batch of notices is allowed by what allows one notice;
 - whoever reads or writes under a key of ours needs leave to use the key besides: tables, buckets, topics and queues
   ask KMS in the caller's name.
Each refusal is a line in the log that begins with DENIED.

Each repair first looks whether what it repairs is still as it was, so that another version fails here and not in a test.
The emulator ends when its standard input does, so that no crashed test leaves it behind.
"""

import functools
import inspect
import os
import signal
import sys
import threading

import ministack.app as app
import ministack.core.iam_evaluator as iam
import ministack.core.lambda_runtime as runtime
import ministack.services.apigateway_v1 as gateway
import ministack.services.cloudformation.provisioners as provisioners
import ministack.services.dynamodb as dynamodb
import ministack.services.lambda_svc as functions
import ministack.services.s3 as s3


def end_with_parent():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def replaced(script, old, new):
    assert script.count(old) == 1, f"the worker script has changed: {old}"
    return script.replace(old, new)


def keep_error_names():
    """The worker says the name beside the message; the runtime takes it over into the function's answer."""
    script = runtime._NODEJS_WORKER_SCRIPT
    script = replaced(
        script,
        'error: String(err.message || err), trace: err.stack || ""',
        'error: String((err && err.message) || err), errorType: (err && err.name) || "Error", trace: (err && err.stack) || ""',
    )
    script = replaced(
        script,
        'error: e.message, trace: e.stack\n',
        'error: e.message, errorType: e.name, trace: e.stack\n',
    )
    runtime._NODEJS_WORKER_SCRIPT = script

    answers = threading.local()
    invoke = runtime.Worker.invoke
    execute = functions._execute_function_warm

    @functools.wraps(invoke)
    def noting(worker, *args, **options):
        answers.last = invoke(worker, *args, **options)
        return answers.last

    @functools.wraps(execute)
    def naming(function, event, request_id):
        answers.last = None
        answer = execute(function, event, request_id)
        body, last = answer.get("body"), answers.last
        if answer.get("error") and isinstance(body, dict) and body.get("errorType") == "Runtime.HandlerError":
            if last and last.get("errorType"):
                body["errorType"] = last["errorType"]
                body["trace"] = (last.get("trace") or "").split("\n")
        return answer

    runtime.Worker.invoke = noting
    functions._execute_function_warm = naming


def after_creating(resource_type, keep):
    """Call `keep(properties, physical id, stack's answer)` when CloudFormation has made a resource of this type."""
    registries = [each for each in vars(provisioners).values() if isinstance(each, dict) and resource_type in each]
    entry = next((each[resource_type] for each in registries if "create" in each[resource_type]), None)
    assert entry is not None, f"nothing makes {resource_type}"
    create = entry["create"]

    @functools.wraps(create)
    def creating(logical_id, properties, stack, *args, **options):
        made = create(logical_id, properties, stack, *args, **options)
        keep(properties, made[0])
        return made

    entry["create"] = creating


def is_true(value):
    return str(value).lower() == "true"


def keep_validator(properties, validator):
    assert hasattr(gateway, "_request_validators")
    gateway._request_validators.setdefault(properties["RestApiId"], {})[validator] = {
        "id": validator,
        "name": properties.get("Name") or validator,
        "validateRequestBody": is_true(properties.get("ValidateRequestBody")),
        "validateRequestParameters": is_true(properties.get("ValidateRequestParameters")),
    }


def keep_method_validator(properties, _):
    validator = properties.get("RequestValidatorId")
    if not validator:
        return
    methods = gateway._resources[properties["RestApiId"]][properties["ResourceId"]]["resourceMethods"]
    method = methods[properties.get("HttpMethod", "ANY")]
    assert "requestValidatorId" in method
    method["requestValidatorId"] = validator


def keep_access_log(properties, _):
    setting = properties.get("AccessLogSetting")
    if setting:
        stage = gateway._stages_v1[properties["RestApiId"]][properties["StageName"]]
        stage["accessLogSettings"] = {"destinationArn": setting.get("DestinationArn"), "format": setting.get("Format")}


def keep_time_to_live(properties, table):
    setting = properties.get("TimeToLiveSpecification")
    if setting:
        enabled = is_true(setting.get("Enabled", True))
        specification = {"Enabled": enabled, "AttributeName": setting["AttributeName"]}
        dynamodb._update_ttl({"TableName": table, "TimeToLiveSpecification": specification})


def keep_bucket_tags(properties, bucket):
    if properties.get("Tags"):
        assert hasattr(s3, "_bucket_tags")
        s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}


def keep_dead_letters(properties, function):
    if properties.get("DeadLetterConfig"):
        functions._functions[function]["config"]["DeadLetterConfig"] = properties["DeadLetterConfig"]


def take_and_forget(resource_type):
    handlers = provisioners._RESOURCE_HANDLERS
    assert resource_type not in handlers, f"{resource_type} is known by now"
    handlers[resource_type] = {
        "create": lambda logical_id, properties, stack: (f"{stack}-{logical_id}", {"Arn": f"arn:aws:none:::{logical_id}"}),
        "delete": lambda *_: None,
    }


def forget_alarms_over_expressions():
    put = provisioners._cw_metric_alarm_put

    @functools.wraps(put)
    def putting(name, properties):
        if properties.get("Metrics"):
            return name, {"Arn": f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{name}"}
        return put(name, properties)

    provisioners._cw_metric_alarm_put = putting


def keep_key_source(properties, api):
    gateway._rest_apis[api]["apiKeySource"] = properties.get("ApiKeySourceType", "HEADER")


def skip_keys_of_authorizers():
    """Where the authorizer names the key of a usage plan, there is none in the request; the plan itself is not shown here."""
    check = gateway._check_api_key

    @functools.wraps(check)
    def checking(method, api_id, stage_name, headers):
        if gateway._rest_apis[api_id].get("apiKeySource") == "AUTHORIZER":
            return None, None
        return check(method, api_id, stage_name, headers)

    gateway._check_api_key = checking


keys_by_resource = {}


def keep_key(kind, property_of):
    """Which key a resource lies under, by its ARN."""

    def keeping(properties, name):
        key = property_of(properties)
        if key:
            keys_by_resource[kind(name)] = key if str(key).startswith("arn:") else f"arn:aws:kms:us-east-1:000000000000:key/{key}"

    return keeping


def key_of_bucket(properties):
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    return next((rule["ServerSideEncryptionByDefault"].get("KMSMasterKeyID") for rule in rules), None)


# What a service asks of the key in the name of whoever calls it.
reads_key = ("kms:Decrypt",)
writes_key = ("kms:Decrypt", "kms:GenerateDataKey")
key_use = {
    "dynamodb": lambda action: reads_key,  # of the table's own key, for a write as for a read
    "s3": lambda action: {"GetObject": reads_key, "PutObject": writes_key}.get(action, ()),
    "sns": lambda action: writes_key if action == "Publish" else (),
    "sqs": lambda action: {"SendMessage": writes_key, "ReceiveMessage": reads_key}.get(action, ()),
}


# A batch is allowed by what allows one of it.
actions_of_batches = {"sns:PublishBatch": "sns:Publish"}


def enforce_as_iam():
    enforce = iam.enforce

    @functools.wraps(enforce)
    def enforcing(access_key, action, service, region, resource_arn="*", service_context=None):
        action = actions_of_batches.get(action, action)
        refused = action
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
        key = keys_by_resource.get(resource_arn.split("/")[0] if service == "s3" else resource_arn)
        uses = key_use[service](action.split(":", 1)[1]) if key and not denied else ()
        for use in uses:
            denied = enforce(access_key, use, "kms", region, resource_arn=key)
            if denied:
                refused = f"{use} for {action}"
                break
        if denied and hasattr(denied, "principal_arn"):
            print(f"DENIED {denied.principal_arn}: {refused} on {resource_arn}", file=sys.stderr, flush=True)
        return denied

    iam.enforce = enforcing


def give_functions_time():
    make = runtime.Worker.__init__
    assert list(inspect.signature(make).parameters) == ["self", "func_name", "config", "code_zip"], "workers are made otherwise"

    @functools.wraps(make)
    def making(worker, func_name, config, code_zip):
        make(worker, func_name, {**config, "Timeout": 10 * int(config.get("Timeout", 3))}, code_zip)

    runtime.Worker.__init__ = making


def speak_tls():
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, _: pin(address, True)


if app.AUTH:
    speak_tls()
    enforce_as_iam()
    after_creating("AWS::DynamoDB::Table", keep_key(
        lambda name: f"arn:aws:dynamodb:us-east-1:000000000000:table/{name}",
        lambda properties: properties.get("SSESpecification", {}).get("KMSMasterKeyId")))
    after_creating("AWS::S3::Bucket", keep_key(lambda name: f"arn:aws:s3:::{name}", key_of_bucket))
    after_creating("AWS::SNS::Topic", keep_key(lambda name: name, lambda properties: properties.get("KmsMasterKeyId")))
    after_creating("AWS::SQS::Queue", keep_key(
        lambda name: f"arn:aws:sqs:us-east-1:000000000000:{name.rsplit('/', 1)[-1]}",
        lambda properties: properties.get("KmsMasterKeyId")))

skip_keys_of_authorizers()
after_creating("AWS::ApiGateway::RestApi", keep_key_source)
take_and_forget("AWS::Budgets::Budget")
take_and_forget("AWS::CloudWatch::CompositeAlarm")
forget_alarms_over_expressions()
keep_error_names()
give_functions_time()
after_creating("AWS::ApiGateway::RequestValidator", keep_validator)
after_creating("AWS::ApiGateway::Method", keep_method_validator)
after_creating("AWS::ApiGateway::Stage", keep_access_log)
after_creating("AWS::DynamoDB::Table", keep_time_to_live)
after_creating("AWS::S3::Bucket", keep_bucket_tags)
after_creating("AWS::Lambda::Function", keep_dead_letters)
threading.Thread(target=end_with_parent, daemon=True).start()
sys.exit(app.main())
